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
	"time"

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
	ErrReference = errors.New("the tenant has no such object to refer to") // also when another tenant has it
	ErrChanged   = errors.New("the object is not as the request expects it")
)

// DB runs statements for the tenant in the context.
type DB struct {
	Pool       *pgxpool.Pool // the shared database
	Statements Statements
	Strategy   Strategy
	Quotas     map[string]Quota // by tier; nil: there are none
	// Enter waits until the tenant in the context may use one more connection, and leave gives it back; nil: there is no waiting.
	Enter func(ctx context.Context) (leave func(), err error)
	Now   func() time.Time // decides what has expired; nil means time.Now
}

func (db *DB) now() time.Time {
	if db.Now == nil {
		return time.Now()
	}
	return db.Now()
}

// actor is the identity in the context, if it may run a statement. Visitors may run two: whatever handler they reached, there is
// nothing else for them.
func actor(ctx context.Context, statement string) (tenant.Identity, error) {
	id, err := tenant.From(ctx)
	if err == nil && id.Role == tenant.Visitor && statement != ShareRead && statement != SessionHolder {
		err = ErrForbidden
	}
	return id, err
}

// query runs a named statement for the tenant of the context.
func (db *DB) query(ctx context.Context, name string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	id, err := actor(ctx, name)
	if err != nil {
		return err
	}
	args["tenant"] = string(id.Tenant)
	if err := db.run(ctx, id.Tenant, db.Statements[name], args, scan); err != nil {
		return failure(name, err)
	}
	return nil
}

// run runs a statement when it is the tenant's turn.
func (db *DB) run(ctx context.Context, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	if db.Enter != nil {
		leave, err := db.Enter(ctx)
		if err != nil {
			return err
		}
		defer leave()
	}
	return db.Strategy.Query(ctx, id, sql, args, scan)
}

// failure says which statement failed, or what the tenant did to make it fail.
func failure(name string, err error) error {
	var pg *pgconn.PgError
	switch {
	case !errors.As(err, &pg):
	case pg.Code == "23505":
		return ErrConflict
	case pg.Code == "23503":
		return ErrReference
	}
	return fmt.Errorf("run %s: %w", name, err)
}

// one runs a statement and returns its only row, or ErrNotFound. Columns are matched to fields by their names.
func one[T any](ctx context.Context, db *DB, name string, args pgx.NamedArgs) (row T, err error) {
	rows, err := many[T](ctx, db, name, args)
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return row, err
	}
	return rows[0], nil
}

// many runs a statement and returns its rows; never nil, so that it becomes a JSON array.
func many[T any](ctx context.Context, db *DB, name string, args pgx.NamedArgs) ([]T, error) {
	list := []T{}
	err := db.query(ctx, name, args, func(rows pgx.Rows) error {
		row, err := pgx.RowToStructByName[T](rows)
		list = append(list, row)
		return err
	})
	return list, err
}

// affected runs a statement that must hit a row and reports ErrNotFound when it hit none. It asks for a returned
// value rather than for the command tag, so that it works inside a batch as well.
func (db *DB) affected(ctx context.Context, name string, args pgx.NamedArgs) error {
	id, err := actor(ctx, name)
	if err != nil {
		return err
	}
	args["tenant"] = string(id.Tenant)
	hit := false
	sql := db.Statements[name] + " returning 1"
	err = db.run(ctx, id.Tenant, sql, args, func(pgx.Rows) error {
		hit = true
		return nil
	})
	if err != nil {
		return failure(name, err)
	}
	if !hit {
		return ErrNotFound
	}
	return nil
}
