package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference/tenant"
)

// schemas gives each tenant a schema of its own in the shared database. The search path leads there for one transaction,
// and nowhere else: without a tenant, or in a transaction that forgot it, the tables do not exist.
type schemas struct {
	app   sender
	owner executor
	role  string
	close func()
}

// An executor runs statements: a connection, or a pool of them.
type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Begin(ctx context.Context) (pgx.Tx, error)
}

// openSchemas uses a pool that parses each statement when it is run: parsed ahead of the batch, it would be looked up
// before the search path is set.
func openSchemas(p Postgres) (Strategy, error) {
	cfg := p.App.Config()
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	app, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, fmt.Errorf("open the schemas: %w", err)
	}
	return &schemas{app: app, owner: p.Owner, role: p.Role, close: app.Close}, nil
}

func (*schemas) Name() string { return "schema" }
func (s *schemas) Close()     { s.close() }

// room is the name of a tenant's own schema or database: the digits of its id, of which there are always as many. Nothing is
// folded to another case or replaced, so that no two tenants can meet in one room.
func room(id tenant.ID) (string, error) {
	digits := strings.ReplaceAll(string(id), "-", "")
	if len(digits) != 32 || strings.Trim(digits, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%w: the tenant id is no UUID in lower case", ErrNotFound)
	}
	return "tenant_" + digits, nil
}

// Provision makes the schema with its tables, or nothing at all.
func (s *schemas) Provision(ctx context.Context, id tenant.ID) error {
	name, err := room(id)
	if err != nil {
		return err
	}
	// The names are made of hexadecimal digits: there is nothing to quote.
	sql := `create schema ` + name + `; set local search_path = ` + name + `;` + tables(string(id)) +
		`grant usage on schema ` + name + ` to ` + s.role
	err = pgx.BeginFunc(ctx, s.owner, func(tx pgx.Tx) error {
		var there bool
		if err := tx.QueryRow(ctx, `select exists (select from pg_namespace where nspname = $1)`, name).Scan(&there); err != nil || there {
			return err
		}
		_, err := tx.Exec(ctx, sql)
		return err
	})
	if err != nil {
		return fmt.Errorf("make the schema of a tenant: %w", err)
	}
	return nil
}

func (s *schemas) Query(ctx context.Context, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	name, err := room(id)
	if err != nil {
		return err
	}
	return within(ctx, s.app, "search_path", name, sql, args, scan)
}

func (s *schemas) Remove(ctx context.Context, id tenant.ID) error {
	name, err := room(id)
	if err != nil {
		return err
	}
	if _, err := s.owner.Exec(ctx, `drop schema if exists `+name+` cascade`); err != nil {
		return fmt.Errorf("drop the schema of a tenant: %w", err)
	}
	return nil
}
