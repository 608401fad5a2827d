package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference/tenant"
)

// hybrid keeps small tenants in shared tables behind row-level security, larger ones in a schema, and the largest in a
// database of their own. The registry says where each lives.
type hybrid struct {
	rooms     map[string]Strategy
	registry  *pgxpool.Pool // as the application
	owner     *pgxpool.Pool
	role      string // of the application
	databases Databases
}

// homes says which room the tenants of a tier are given; shared tables where it says nothing.
func homes(tier string) string {
	switch tier {
	case "enterprise", "test-database":
		return "database"
	case "business", "test-schema":
		return "schema"
	default:
		return "rls"
	}
}

func openHybrid(p Postgres) (Strategy, error) {
	own, err := openSchemas(p)
	if err != nil {
		return nil, err
	}
	beside, err := openDatabases(p)
	if err != nil {
		own.Close()
		return nil, err
	}
	return &hybrid{rooms: map[string]Strategy{"rls": rls{p.App, p.Owner}, "schema": own, "database": beside}, registry: p.App, owner: p.Owner, role: p.Role, databases: p.Databases}, nil
}

func (*hybrid) Name() string { return "hybrid" }

func (s *hybrid) Close() {
	for _, room := range s.rooms {
		room.Close()
	}
}

// Provision gives a tenant the room of the tier in its identity.
func (s *hybrid) Provision(ctx context.Context, id tenant.ID) error {
	identity, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	home := homes(identity.Tier)
	if err := s.rooms[home].Provision(ctx, id); err != nil {
		return err
	}
	return settle(ctx, s.registry, id, home)
}

// settle notes where a tenant lives.
func settle(ctx context.Context, registry executor, id tenant.ID, home string) error {
	if _, err := registry.Exec(ctx, `update tenants set home = $2 where id = $1::uuid`, parsed(string(id)), home); err != nil {
		return fmt.Errorf("note where a tenant lives: %w", err)
	}
	return nil
}

// home is where a tenant lives. A request brings it along, from the same look at the registry that let it in.
func (s *hybrid) home(ctx context.Context, id tenant.ID) (Strategy, error) {
	name := ""
	if identity, err := tenant.From(ctx); err == nil && identity.Tenant == id {
		name = identity.Home
	}
	if name == "" {
		var err error
		if name, err = noted(ctx, s.registry, id); err != nil {
			return nil, err
		}
	}
	room, ok := s.rooms[name]
	if !ok {
		return nil, fmt.Errorf("the registry says that a tenant lives in %q, which is no room", name)
	}
	return room, nil
}

// noted is where the registry says that a tenant lives.
func noted(ctx context.Context, registry executor, id tenant.ID) (name string, err error) {
	err = registry.QueryRow(ctx, `select home from tenants where id = $1::uuid`, parsed(string(id))).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && name == "" {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("look up where a tenant lives: %w", err)
	}
	return name, nil
}

func (s *hybrid) Query(ctx context.Context, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	room, err := s.home(ctx, id)
	if err != nil {
		return err
	}
	return room.Query(ctx, id, sql, args, scan)
}

// Remove empties every room: a move that was broken off may have left rows in two. One that is under way ends first, and none can
// begin: its tenant is in no state to move by now.
func (s *hybrid) Remove(ctx context.Context, id tenant.ID) error {
	conn, err := s.lock(ctx, id)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	var errs []error
	for _, room := range s.rooms {
		errs = append(errs, room.Remove(ctx, id))
	}
	return errors.Join(errs...)
}
