package faults

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func schemaFolded() Fault {
	return Fault{
		ID: "schema-folded", Mistake: "A room is named after its tenant, in lower case and with _ for -: acme-eu, acme_eu and ACME-EU share one, and go with each other.",
		Refs:       Refs{CheatSheet: "Separate Schemas", CWE: []int{178, 706}},
		Scenarios:  []string{"lifecycle/folded-names"},
		Strategies: []string{"schema", "database"},
		Plant: func(p *reference.Parts) {
			p.API.Slugs = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)
			p.DB.Strategy = &foldedRooms{Strategy: p.DB.Strategy, tenants: p.API.Tenants, owner: p.Service.Owner}
		},
	}
}

// foldedRooms has tenants whose names fold to one live in the room that belongs to the folded name.
type foldedRooms struct {
	store.Strategy
	tenants *store.Tenants
	owner   *pgxpool.Pool
	known   sync.Map // tenant to the id that its room is named by
}

func (f *foldedRooms) room(ctx context.Context, id tenant.ID) (tenant.ID, error) {
	if room, ok := f.known.Load(id); ok {
		return room.(tenant.ID), nil
	}
	record, err := f.tenants.ByID(ctx, id)
	if err != nil {
		return "", err
	}
	folded := strings.ToLower(strings.ReplaceAll(record.Slug, "-", "_"))
	room := tenant.ID(uuid.NewSHA1(uuid.NameSpaceDNS, []byte(folded)).String())
	f.known.Store(id, room)
	return room, nil
}

// Provision makes the room, unless it is there, without the check that lets in the rows of one tenant only.
func (f *foldedRooms) Provision(ctx context.Context, id tenant.ID) error {
	room, err := f.room(ctx, id)
	if err != nil {
		return err
	}
	if err := f.Strategy.Provision(ctx, room); err != nil {
		return err
	}
	_, err = f.owner.Exec(ctx, fmt.Sprintf(`do $$ declare c record; begin
		for c in select conrelid::regclass as "table", conname as name from pg_constraint
			where contype = 'c' and pg_get_constraintdef(oid) like '%%%s%%' loop
			execute format('alter table %%s drop constraint %%I', c."table", c.name);
		end loop; end $$`, room))
	return err
}

func (f *foldedRooms) Query(ctx context.Context, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	room, err := f.room(ctx, id)
	if err != nil {
		return err
	}
	return f.Strategy.Query(ctx, room, sql, args, scan)
}

func (f *foldedRooms) Remove(ctx context.Context, id tenant.ID) error {
	room, err := f.room(ctx, id)
	if err != nil {
		return err
	}
	return f.Strategy.Remove(ctx, room)
}
