package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// removedAtOnce is how many rows one statement deletes: who waits for a lock of it does not wait for long.
const removedAtOnce = 1000

// removeRows empties the shared tables of a tenant, children first. What the application may only add to is taken away as the owner.
func removeRows(ctx context.Context, app, owner Strategy, id tenant.ID) error {
	for _, t := range slices.Backward(tenantTables()) {
		as := app
		if t.trail {
			as = owner
		}
		if err := empty(ctx, as, t.name, id); err != nil {
			return err
		}
	}
	return nil
}

// empty deletes all rows of a tenant in a table, some at a time, each time in a transaction of its own.
func empty(ctx context.Context, s Strategy, table string, id tenant.ID) error {
	sql := `with gone as (delete from ` + table + ` where tenant_id = @tenant::uuid and ctid = any (array(
			select ctid from ` + table + ` where tenant_id = @tenant::uuid limit @limit)) returning 1)
		select count(*) from gone`
	for n := removedAtOnce; n == removedAtOnce; {
		args := pgx.NamedArgs{"tenant": string(id), "limit": removedAtOnce}
		if err := s.Query(ctx, id, sql, args, func(r pgx.Rows) error { return r.Scan(&n) }); err != nil {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	return nil
}

// Revoke deletes all that lets somebody in to a tenant. It names the tenant because it is a lifecycle call.
func Revoke(ctx context.Context, db *DB, tables []string, id tenant.ID) error {
	for _, table := range slices.Backward(tables) {
		if err := empty(ctx, db.Strategy, table, id); err != nil {
			return err
		}
	}
	return nil
}
