package store_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/store/storetest"
	"github.com/partywall/partywall/reference/tenant"
)

// open makes a store of a strategy on a fresh database.
func open(t *testing.T, strategy string, pooling storetest.Pooling) *store.DB {
	t.Helper()
	db, _ := openOn(t, strategy, pooling)
	return db
}

func openOn(t testing.TB, strategy string, pooling storetest.Pooling) (*store.DB, store.Postgres) {
	t.Helper()
	migration, err := store.Migration(strategy)
	if err != nil {
		t.Fatal(err)
	}
	template := backing.Template{Name: strategy, Migrate: migration}
	var s *backing.Service
	if pooling == storetest.Pooled {
		s = backingtest.Pooled(t, template)
	} else {
		s = backingtest.Service(t, template)
	}
	p := store.Postgres{App: s.App, Owner: s.Owner, Role: backing.AppRole, Databases: s}
	if pooling == storetest.Narrow {
		p.App = narrowed(t, s.App)
		t.Cleanup(p.App.Close)
		p.Databases = narrowDatabases{s, t}
	}
	opened, err := store.Open(strategy, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return &store.DB{Pool: p.App, Statements: store.DefaultStatements(), Strategy: opened}, p
}

func narrowed(t testing.TB, wide *pgxpool.Pool) *pgxpool.Pool {
	t.Helper()
	cfg := wide.Config()
	cfg.MaxConns, cfg.MinConns = 1, 0
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(t.Context()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

type narrowDatabases struct {
	store.Databases
	t testing.TB
}

func (n narrowDatabases) Open(ctx context.Context, name string) (*pgxpool.Pool, error) {
	wide, err := n.Databases.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer wide.Close()
	return narrowed(n.t, wide), nil
}

func TestConformance(t *testing.T) {
	for _, strategy := range store.Strategies() {
		t.Run(strategy, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T, pooling storetest.Pooling) *store.DB { return open(t, strategy, pooling) })
		})
	}
}

// TestRooms: ids that are no UUID get no room, so nothing of them reaches a statement.
func TestRooms(t *testing.T) {
	for _, strategy := range []string{"schema", "database"} {
		s := open(t, strategy, storetest.Wide).Strategy
		for _, id := range []tenant.ID{"", "x", "x; drop schema public", "0B7F5B0E-6C0A-4C3C-9D0A-0123456789AB", "public"} {
			query := s.Query(t.Context(), id, `select 1`, pgx.NamedArgs{}, nil)
			for what, err := range map[string]error{"query": query, "provision": s.Provision(t.Context(), id), "remove": s.Remove(t.Context(), id)} {
				if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s: %s of %q: %v", strategy, what, id, err)
				}
			}
		}
	}
}

// TestManyDatabases: more tenants than databases are connected to at once work side by side, and no more stay connected.
func TestManyDatabases(t *testing.T) {
	_, p := openOn(t, "database", storetest.Wide)
	named := &namedDatabases{Databases: p.Databases, names: map[string]bool{}}
	p.Databases = named
	strategy, err := store.Open("database", p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(strategy.Close)
	db := &store.DB{Pool: p.App, Statements: store.DefaultStatements(), Strategy: strategy}
	ids := make([]tenant.ID, store.OpenPools+6)
	for i := range ids {
		ids[i] = tenant.New()
		if err := db.Strategy.Provision(t.Context(), ids[i]); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(named.names); n != 0 {
		t.Errorf("%d databases are connected to before they are asked for", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			own := tenant.NewContext(ctx, tenant.Identity{Tenant: id, User: "alice"})
			for range 5 {
				if _, _, err := store.NewDocuments(db).List(own, store.Filter{Page: store.Page{Limit: 1}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(named.names); n != len(ids) {
		t.Errorf("of %d databases %d were connected to", len(ids), n)
	}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for { // the server takes a moment to notice that a connection was closed
		connected := 0
		err := p.Owner.QueryRow(ctx, `select count(distinct datname) from pg_stat_activity where datname = any($1)`,
			slices.Collect(maps.Keys(named.names))).Scan(&connected)
		if err != nil {
			t.Fatalf("%d databases stay connected, %v", connected, err)
		}
		if connected > 0 && connected <= store.OpenPools {
			return
		}
		<-poll.C
	}
}

// namedDatabases notes the names of the databases that are connected to.
type namedDatabases struct {
	store.Databases
	mu    sync.Mutex
	names map[string]bool
}

func (n *namedDatabases) Open(ctx context.Context, name string) (*pgxpool.Pool, error) {
	pool, err := n.Databases.Open(ctx, name)
	if err == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.names[pool.Config().ConnConfig.Database] = true
	}
	return pool, err
}
