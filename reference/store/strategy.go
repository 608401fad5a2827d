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
	// Query runs one statement for a tenant and hands its rows to scan.
	Query(ctx context.Context, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error
	// Provision makes the room that a new tenant's rows live in; it may be repeated.
	Provision(ctx context.Context, id tenant.ID) error
	// Remove deletes all rows of a tenant, and its room. It may be repeated.
	Remove(ctx context.Context, id tenant.ID) error
	// Close gives back what the strategy opened itself.
	Close()
}

// Mover is implemented by strategies that keep tenants in different rooms by their tier.
type Mover interface {
	// Move takes all rows of a tenant to the room of a tier. The tenant must be closed meanwhile. After a failure, or a crash
	// at any point, it is repeated: nothing is lost, and nothing is there twice.
	Move(ctx context.Context, id tenant.ID, tier string) error
}

// ErrStrategy means that no strategy has the given name.
var ErrStrategy = errors.New("unknown isolation strategy")

// Postgres is what a strategy stands on.
type Postgres struct {
	// App is the shared database as the application's role sees it: it owns nothing and bypasses no policy. Owner is the
	// same database as the owner of all tables; only provisioning uses it.
	App, Owner *pgxpool.Pool
	// Role is the name of the application's role.
	Role string
	// Databases makes databases of tenants' own.
	Databases Databases
}

// Databases makes, opens and drops databases beside the shared one, by names that are unique among them.
type Databases interface {
	// Create makes a database that the owner has migrated. One that is there already is left as it is.
	Create(ctx context.Context, name, migration string) error
	// Open connects to a database as the application's role.
	Open(ctx context.Context, name string) (*pgxpool.Pool, error)
	// OpenOwner connects to a database as its owner.
	OpenOwner(ctx context.Context, name string) (*pgxpool.Pool, error)
	// Drop removes a database with all that is in it, if it is there.
	Drop(ctx context.Context, name string) error
}

// kind is a strategy by its name: how the shared database is migrated, and how it is opened.
type kind struct {
	name      string
	migration func() string
	open      func(Postgres) (Strategy, error)
}

func kinds() []kind {
	return []kind{
		{"row", func() string { return registry + SharedTables() }, func(p Postgres) (Strategy, error) { return row{p.App, p.Owner}, nil }},
		{"rls", func() string { return registry + SharedTables() + policies() }, func(p Postgres) (Strategy, error) { return rls{p.App, p.Owner}, nil }},
		{"schema", func() string { return registry }, openSchemas},
		{"database", func() string { return registry }, openDatabases},
		{"hybrid", func() string { return registry + SharedTables() + policies() }, openHybrid},
	}
}

// Strategies are the names that Open knows.
func Strategies() (names []string) {
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

func find(name string) (kind, error) {
	for _, k := range kinds() {
		if k.name == name {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("%w %q: use one of %s", ErrStrategy, name, strings.Join(Strategies(), ", "))
}

// Migration is the SQL that the owner runs once on an empty shared database.
func Migration(strategy string) (string, error) {
	k, err := find(strategy)
	if err != nil {
		return "", err
	}
	return k.migration(), nil
}

// Open makes a strategy on a database that was migrated for it. The caller closes it.
func Open(strategy string, p Postgres) (Strategy, error) {
	k, err := find(strategy)
	if err != nil {
		return nil, err
	}
	return k.open(p)
}

// SharedTables is the SQL of the tables that tenants share, for a database that has none yet.
func SharedTables() string { return tables("") }

// Shared is the strategy row on a database that holds the shared tables.
func Shared(app, owner *pgxpool.Pool) Strategy { return row{app, owner} }

// row keeps all tenants in shared tables; the statements alone are the wall.
type row struct{ pool, owner *pgxpool.Pool }

func (row) Name() string                               { return "row" }
func (row) Provision(context.Context, tenant.ID) error { return nil }
func (row) Close()                                     {}

func (s row) Query(ctx context.Context, _ tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	return direct(ctx, s.pool, sql, args, scan)
}

func (s row) Remove(ctx context.Context, id tenant.ID) error {
	return removeRows(ctx, s, row{pool: s.owner}, id)
}

// A sender is a connection, or a pool of them.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// rls adds row-level security. The application's role neither owns the tables nor bypasses their policies, and the
// tenant is set for one transaction only.
type rls struct{ pool, owner sender }

func (rls) Name() string                               { return "rls" }
func (rls) Provision(context.Context, tenant.ID) error { return nil }
func (rls) Close()                                     {}

// policies hide every row of other tenants from the application's role, and from the owner too.
func policies() string {
	var b strings.Builder
	for _, table := range TenantTables() {
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
func (s rls) Query(ctx context.Context, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	return within(ctx, s.pool, "app.current_tenant", string(id), sql, args, scan)
}

func (s rls) Remove(ctx context.Context, id tenant.ID) error {
	return removeRows(ctx, s, rls{pool: s.owner}, id)
}

// direct runs a statement on a pool.
func direct(ctx context.Context, pool *pgxpool.Pool, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	rows, err := pool.Query(ctx, sql, args)
	if err != nil {
		return err
	}
	return consume(rows, scan)
}

// within runs a statement in a batch behind a setting that ends with it.
func within(ctx context.Context, pool sender, setting, value, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) (err error) {
	batch := &pgx.Batch{}
	batch.Queue(`select set_config('`+setting+`', $1, true)`, value)
	batch.Queue(sql, args)
	results := pool.SendBatch(ctx, batch)
	defer func() { // also when scan panics: the connection must go back to its pool
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	if _, err = results.Exec(); err != nil {
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	return consume(rows, scan)
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
