package backing

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// tenantConns is how many connections a database of a tenant's own is given.
const tenantConns = 4

// Create makes a database beside the shared one, migrated by its owner. One that is there already is left as it is.
func (s *Service) Create(ctx context.Context, name, migration string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.beside[name]; there {
		return nil
	}
	database, err := s.engine.clone(ctx, Template{Name: "tenant", Migrate: migration})
	if err != nil {
		return err
	}
	if s.beside == nil {
		s.beside = map[string]string{}
	}
	s.beside[name] = database
	return nil
}

// Open connects to a database as the application's role.
func (s *Service) Open(ctx context.Context, name string) (*pgxpool.Pool, error) {
	return s.open(ctx, s.engine.app, name)
}

// OpenOwner connects to a database as its owner.
func (s *Service) OpenOwner(ctx context.Context, name string) (*pgxpool.Pool, error) {
	return s.open(ctx, s.engine.owner, name)
}

func (s *Service) open(ctx context.Context, dsn, name string) (*pgxpool.Pool, error) {
	s.mu.Lock()
	database, there := s.beside[name]
	s.mu.Unlock()
	if !there {
		return nil, fmt.Errorf("there is no database %s", name)
	}
	return pool(ctx, dsn, database, tenantConns)
}

// Drop removes a database with all that is in it, if it is there.
func (s *Service) Drop(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	database, there := s.beside[name]
	if !there {
		return nil
	}
	if err := s.engine.execute(ctx, `drop database if exists `+database+` with (force)`); err != nil {
		return err
	}
	delete(s.beside, name)
	return nil
}
