package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference/tenant"
)

// Status of a tenant.
type Status string

// The states of a tenant's life.
const (
	Provisioning Status = "PROVISIONING"
	Active       Status = "ACTIVE"
	Suspended    Status = "SUSPENDED"
	Offboarding  Status = "OFFBOARDING"
	Deleted      Status = "DELETED"
)

// Record of a tenant in the registry.
type Record struct {
	ID               tenant.ID
	Slug, Name, Tier string
	Home             string // the room that a hybrid store chose; empty elsewhere
	Status           Status
	Moving           string     // the tier that the tenant is on its way to; empty when it stays
	Ending           bool       // it is being deleted, and there is no way back
	DeleteAfter      *time.Time // when an offboarded tenant will be
	RetainDays       int
}

const recordColumns = `id::text, slug, name, tier, home, status, moving_to as moving, ending, delete_after, retain_days`

// Open tells whether the tenant is served.
func (r Record) Open() bool { return r.Status == Active && r.Moving == "" }

// Tenants is the registry: with the log of the tenants' lives, all that belongs to the service rather than to a tenant.
type Tenants struct {
	Pool *pgxpool.Pool
	Now  func() time.Time // decides what is due; nil means time.Now
}

func (t *Tenants) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// Add registers a tenant; ErrConflict when a living one has the slug.
func (t *Tenants) Add(ctx context.Context, r Record) error {
	args := pgx.NamedArgs{"id": string(r.ID), "slug": r.Slug, "name": r.Name, "tier": r.Tier, "status": string(r.Status), "step": string(Register)}
	t.known(ctx, args)
	_, err := t.Pool.Exec(ctx, `with added as (insert into tenants (id, slug, name, tier, status, created_at, claimed_until)
			values (@id::uuid, @slug, @name, @tier, @status, @now::timestamptz, @lease::timestamptz) returning id)
		insert into lives (tenant, at, step, operator) select id, @now::timestamptz, @step::text, @operator::text from added`, args)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return ErrConflict
	}
	if err != nil {
		return fmt.Errorf("register tenant %s: %w", r.Slug, err)
	}
	return nil
}

// ByID finds a tenant, in whatever state.
func (t *Tenants) ByID(ctx context.Context, id tenant.ID) (Record, error) {
	return t.one(ctx, `id = $1::uuid`, parsed(string(id)))
}

// BySlug finds the living tenant with a slug.
func (t *Tenants) BySlug(ctx context.Context, slug string) (Record, error) {
	return t.one(ctx, `slug = $1 and status <> 'DELETED'`, slug)
}

func (t *Tenants) one(ctx context.Context, where string, arg any) (r Record, err error) {
	rows, err := t.Pool.Query(ctx, `select `+recordColumns+` from tenants where `+where, arg)
	if err == nil {
		r, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Record])
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("look up a tenant: %w", err)
	}
	return r, nil
}

// Open are the tenants that are active.
func (t *Tenants) Open(ctx context.Context) (all []Record, err error) {
	rows, err := t.Pool.Query(ctx, `select id::text, slug, name, tier, status, home from tenants where status = $1 order by id`, string(Active))
	if err == nil {
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Record, err error) {
			return r, row.Scan(&r.ID, &r.Slug, &r.Name, &r.Tier, &r.Status, &r.Home)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list the tenants: %w", err)
	}
	return all, nil
}
