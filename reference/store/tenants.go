package store

import (
	"context"
	"errors"
	"fmt"

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
	Moving           string // the tier that the tenant is on its way to; empty when it stays
}

// Open tells whether the tenant is served.
func (r Record) Open() bool { return r.Status == Active && r.Moving == "" }

// ErrState means that what is asked cannot be done with a tenant in its state.
var ErrState = errors.New("the state of the tenant does not allow this")

// Tenants is the registry: the one table that belongs to the service rather than to a tenant.
type Tenants struct{ Pool *pgxpool.Pool }

// Add registers a tenant; ErrConflict when a living one has the slug.
func (t *Tenants) Add(ctx context.Context, r Record) error {
	_, err := t.Pool.Exec(ctx, `insert into tenants (id, slug, name, tier, status) values ($1, $2, $3, $4, $5)`,
		string(r.ID), r.Slug, r.Name, r.Tier, string(r.Status))
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return ErrConflict
	}
	if err != nil {
		return fmt.Errorf("register tenant %s: %w", r.Slug, err)
	}
	return nil
}

// Turn moves a tenant from one of some states to another. It compares and sets in one statement: of two who come at once, one finds
// the tenant where the other has put it. ErrState when it is in another state, ErrNotFound when it is unknown or deleted.
func (t *Tenants) Turn(ctx context.Context, id tenant.ID, to Status, from ...Status) error {
	return t.change(ctx, id, `update tenants set status = $2, deleted_at = case when $2 = 'DELETED' then now() end
		where id = $1::uuid and status = any($3)`, string(to), from)
}

// BeginMove notes that a tenant is on its way to a tier: until EndMove it is closed, in whatever state it is. Who began a move before
// and has not ended it is overtaken.
func (t *Tenants) BeginMove(ctx context.Context, id tenant.ID, tier string) error {
	return t.change(ctx, id, `update tenants set moving_to = $2 where id = $1::uuid and status in `+settledStates, tier)
}

// EndMove gives a tenant the tier that it was on its way to; ErrState when it is so no more.
func (t *Tenants) EndMove(ctx context.Context, id tenant.ID, tier string) error {
	return t.change(ctx, id, `update tenants set tier = $2, moving_to = '' where id = $1::uuid and moving_to = $2 and status in `+settledStates, tier)
}

// settledStates are those in which a tenant may move.
const settledStates = `('ACTIVE', 'SUSPENDED')`

// change runs an update of one tenant that may not apply to it.
func (t *Tenants) change(ctx context.Context, id tenant.ID, sql string, args ...any) error {
	tag, err := t.Pool.Exec(ctx, sql, append([]any{parsed(string(id))}, args...)...)
	if err != nil {
		return fmt.Errorf("change a tenant: %w", err)
	}
	if tag.RowsAffected() > 0 {
		return nil
	}
	r, err := t.ByID(ctx, id)
	switch {
	case err != nil:
		return err
	case r.Status == Deleted:
		return ErrNotFound
	case r.Moving != "":
		return fmt.Errorf("%w: it is %s, on its way to the tier %s", ErrState, r.Status, r.Moving)
	default:
		return fmt.Errorf("%w: it is %s", ErrState, r.Status)
	}
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
	err = t.Pool.QueryRow(ctx, `select id::text, slug, name, tier, status, home, moving_to from tenants where `+where, arg).
		Scan(&r.ID, &r.Slug, &r.Name, &r.Tier, &r.Status, &r.Home, &r.Moving)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("look up a tenant: %w", err)
	}
	return r, nil
}
