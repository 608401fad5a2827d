package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference/tenant"
)

// A Strategy is the wall behind the statements. Each statement names the tenant already; the strategy adds a second
// layer that holds when one does not.
type Strategy interface {
	Name() string
	// Migration is the SQL that the database owner runs once on an empty database.
	Migration() string
	// Query runs one statement for a tenant and hands its rows to scan.
	Query(ctx context.Context, pool *pgxpool.Pool, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error
}

// ErrStrategy means that no strategy has the given name.
var ErrStrategy = errors.New("unknown isolation strategy")

// Strategies are the names that ParseStrategy knows.
func Strategies() []string { return []string{"row", "rls"} }

// ParseStrategy finds a strategy by name.
func ParseStrategy(name string) (Strategy, error) {
	switch name {
	case "row":
		return row{}, nil
	case "rls":
		return rls{}, nil
	default:
		return nil, fmt.Errorf("%w %q: use one of %s", ErrStrategy, name, strings.Join(Strategies(), ", "))
	}
}

// row keeps all tenants in shared tables; the statements alone are the wall.
type row struct{}

func (row) Name() string      { return "row" }
func (row) Migration() string { return schema }

func (row) Query(ctx context.Context, pool *pgxpool.Pool, _ tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	rows, err := pool.Query(ctx, sql, args)
	if err != nil {
		return err
	}
	return consume(rows, scan)
}

// rls adds row-level security. The application's role neither owns the tables nor bypasses their policies, and the
// tenant is set for one transaction only.
type rls struct{}

func (rls) Name() string { return "rls" }

func (rls) Migration() string {
	var b strings.Builder
	b.WriteString(schema)
	for _, table := range tenantTables {
		// After a transaction the setting reads '' rather than NULL: without nullif the cast would fail instead of
		// hiding all rows.
		fmt.Fprintf(&b, `
alter table %[1]s enable row level security;
alter table %[1]s force row level security;
create policy tenant_isolation on %[1]s
	using (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);`, table)
	}
	return b.String()
}

// Query sends the setting and the statement as one batch: one round trip, and one implicit transaction, at whose end
// the setting is gone. A pooled connection never remembers a tenant.
func (rls) Query(ctx context.Context, pool *pgxpool.Pool, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	batch := &pgx.Batch{}
	batch.Queue(`select set_config('app.current_tenant', $1, true)`, string(id))
	batch.Queue(sql, args)
	results := pool.SendBatch(ctx, batch)
	if _, err := results.Exec(); err != nil {
		return errors.Join(err, results.Close())
	}
	rows, err := results.Query()
	if err == nil {
		err = consume(rows, scan)
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	return err
}

func consume(rows pgx.Rows, scan func(pgx.Rows) error) error {
	defer rows.Close()
	if scan != nil {
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
	}
	rows.Close()
	return rows.Err()
}
