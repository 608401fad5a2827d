package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference/tenant"
)

// openPools is how many databases of tenants are connected to at once. Each has a pool of a few connections.
const openPools = 24

// databases gives each tenant a database of its own. Its pool is opened when it is first asked for, and closed when others
// are wanted more.
type databases struct {
	make  Databases
	pools *pools
}

func openDatabases(p Postgres) (Strategy, error) {
	return &databases{make: p.Databases, pools: newPools(openPools, p.Databases.Open)}, nil
}

func (*databases) Name() string { return "database" }
func (s *databases) Close()     { s.pools.close() }

// Provision makes the database.
func (s *databases) Provision(ctx context.Context, id tenant.ID) error {
	name, err := room(id)
	if err != nil {
		return err
	}
	if err := s.make.Create(ctx, name, SharedTables()); err != nil {
		return fmt.Errorf("make the database of a tenant: %w", err)
	}
	return nil
}

func (s *databases) Query(ctx context.Context, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	name, err := room(id)
	if err != nil {
		return err
	}
	return s.pools.with(ctx, name, func(pool *pgxpool.Pool) error { return direct(ctx, pool, sql, args, scan) })
}

// Remove closes the pool and drops the database.
func (s *databases) Remove(ctx context.Context, id tenant.ID) error {
	name, err := room(id)
	if err != nil {
		return err
	}
	s.pools.forget(name)
	if err := s.make.Drop(ctx, name); err != nil {
		return fmt.Errorf("drop the database of a tenant: %w", err)
	}
	return nil
}
