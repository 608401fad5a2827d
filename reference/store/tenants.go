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
}

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

// SetStatus moves a tenant to another state; ErrNotFound when it is unknown or deleted already.
func (t *Tenants) SetStatus(ctx context.Context, id tenant.ID, s Status) error {
	tag, err := t.Pool.Exec(ctx, `update tenants set status = $2, deleted_at = case when $2 = 'DELETED' then now() end
		where id = $1::uuid and status <> 'DELETED'`, parsed(string(id)), string(s))
	if err != nil {
		return fmt.Errorf("set the status of a tenant: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return ErrNotFound
	}
	return nil
}

// SetTier moves a tenant to another tier; ErrNotFound when it is unknown or deleted.
func (t *Tenants) SetTier(ctx context.Context, id tenant.ID, tier string) error {
	tag, err := t.Pool.Exec(ctx, `update tenants set tier = $2 where id = $1::uuid and status <> 'DELETED'`, parsed(string(id)), tier)
	if err != nil {
		return fmt.Errorf("set the tier of a tenant: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return ErrNotFound
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
	err = t.Pool.QueryRow(ctx, `select id::text, slug, name, tier, status, home from tenants where `+where, arg).
		Scan(&r.ID, &r.Slug, &r.Name, &r.Tier, &r.Status, &r.Home)
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
