// Package store keeps tenants' rows in Postgres.
//
// Two walls stand here. Every statement names the tenant, taken from the context: there is no method that could be
// called without one. And behind the statements stands a [Strategy], which holds when a statement does not. Ownership is
// checked here, where the data lives, and a foreign row looks exactly like one that does not exist.
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

// What a method of this package may answer with, beside errors of the database itself.
var (
	ErrNotFound  = errors.New("not found") // also for what belongs to another tenant
	ErrConflict  = errors.New("the tenant already has one with this name")
	ErrForbidden = errors.New("forbidden")
)

// DB runs statements for the tenant in the context.
type DB struct {
	Pool       *pgxpool.Pool
	Statements Statements
	Strategy   Strategy
}

// query runs a named statement for the tenant of the context.
func (db *DB) query(ctx context.Context, name string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	args["tenant"] = string(id.Tenant)
	if err := db.Strategy.Query(ctx, db.Pool, id.Tenant, db.Statements[name], args, scan); err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "23505" {
			return ErrConflict
		}
		return fmt.Errorf("run %s: %w", name, err)
	}
	return nil
}

// affected runs a statement that must hit a row and reports ErrNotFound when it hit none. It asks for a returned
// value rather than for the command tag, so that it works inside a batch as well.
func (db *DB) affected(ctx context.Context, name string, args pgx.NamedArgs) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	args["tenant"] = string(id.Tenant)
	hit := false
	sql := db.Statements[name] + " returning 1"
	err = db.Strategy.Query(ctx, db.Pool, id.Tenant, sql, args, func(pgx.Rows) error {
		hit = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("run %s: %w", name, err)
	}
	if !hit {
		return ErrNotFound
	}
	return nil
}

// Purge removes all rows of a tenant, for good. It names the tenant because it is a lifecycle call.
func (db *DB) Purge(ctx context.Context, id tenant.ID) error {
	for _, table := range tenantTables {
		if table == "audit" {
			continue // append-only for the application: the minimal record of a tenant stays
		}
		sql := `delete from ` + table + ` where tenant_id = @tenant`
		if err := db.Strategy.Query(ctx, db.Pool, id, sql, pgx.NamedArgs{"tenant": string(id)}, nil); err != nil {
			return fmt.Errorf("purge %s: %w", table, err)
		}
	}
	return nil
}
