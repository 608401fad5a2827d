// Package storetest is the conformance suite of isolation strategies: what a tenant may rely on, whatever wall stands behind
// the statements. Its heart is the foreign tenant: for every method there is a neighbour with the same names who tries it.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// Pooling is how a store reaches Postgres.
type Pooling string

// The ways to reach Postgres. Through one connection every tenant gets what the one before has left behind; through a pooler of
// transactions (see the package backing) also what another process of the service has.
const (
	Wide   Pooling = "wide pool"
	Narrow Pooling = "one connection"
	Pooled Pooling = "transaction pooler"
)

// Open returns a fresh, migrated store, closed when the test ends.
type Open func(t *testing.T, pooling Pooling) *store.DB

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, pooling := range []Pooling{Wide, Narrow, Pooled} {
		t.Run(string(pooling), func(t *testing.T) {
			s := &suite{t: t, db: open(t, pooling)}
			s.ran = &recorder{Strategy: s.db.Strategy, texts: map[string]bool{}}
			s.db.Strategy = s.ran
			s.a, s.b = s.admit(), s.admit()
			t.Run("foreign tenant", s.foreign)
			t.Run("every statement", s.statements)
			t.Run("no tenant", s.missing)
			t.Run("cancelled", s.cancelled)
			t.Run("panic", s.panics)
			t.Run("nothing is remembered", s.remembered)
			t.Run("removed", s.removed)
		})
	}
}

type suite struct {
	t        *testing.T
	db       *store.DB
	ran      *recorder
	a, b     context.Context
	admitted int
}

// recorder notes the statements that run on a strategy.
type recorder struct {
	store.Strategy
	texts map[string]bool
}

func (r *recorder) Query(ctx context.Context, id tenant.ID, sql string, args pgx.NamedArgs, scan func(pgx.Rows) error) error {
	r.texts[strings.TrimSuffix(sql, " returning 1")] = true
	return r.Strategy.Query(ctx, id, sql, args, scan)
}

// admit registers a new tenant, each of another tier, makes its room and returns its context.
func (s *suite) admit() context.Context {
	s.t.Helper()
	tiers := []string{"test", "test-schema", "test-database"}
	id := tenant.New()
	identity := tenant.Identity{Tenant: id, User: "alice@example.com", Role: "admin", Tier: tiers[s.admitted%len(tiers)]}
	s.admitted++
	registry := &store.Tenants{Pool: s.db.Pool}
	must(s.t, registry.Add(s.t.Context(), store.Record{ID: id, Slug: string(id), Tier: identity.Tier, Status: store.Active}))
	ctx := tenant.NewContext(s.t.Context(), identity)
	for range 2 { // it may be repeated
		must(s.t, s.db.Strategy.Provision(ctx, id))
	}
	return ctx
}

func idOf(ctx context.Context) tenant.ID {
	id, _ := tenant.From(ctx) // made by admit
	return id.Tenant
}

// foreign has b try everything on what a owns, and on ids that nobody has, and looks at all that a owns before and after.
func (s *suite) foreign(t *testing.T) {
	subjects := Subjects(s.db)
	ids := map[string]string{}
	for _, subject := range subjects {
		for _, ctx := range []context.Context{s.a, s.b} {
			id, err := subject.Plant(ctx, "of "+string(idOf(ctx)))
			if err != nil {
				t.Fatalf("plant %s: %v", subject.Name, err)
			}
			if ctx == s.a {
				ids[subject.Name] = id
			}
		}
	}
	before := s.see(t, s.a)
	s.ran.forget(s.db.Statements)
	for _, subject := range subjects {
		for _, id := range []string{ids[subject.Name], uuid.NewString(), "nonsense", "", "{" + ids[subject.Name] + "}"} {
			for name, try := range subject.Tries {
				if err := try(s.b, id); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s: %s of %q: %v", subject.Name, name, id, err)
				}
			}
			for name, refer := range subject.Refers {
				if id == "" {
					continue // it refers to nothing
				}
				if err := refer(s.b, id); !errors.Is(err, store.ErrReference) {
					t.Errorf("%s: %s to %q: %v", subject.Name, name, id, err)
				}
			}
		}
		if subject.Same != nil {
			must(t, subject.Same(s.b))
		}
	}
	if after := s.see(t, s.a); after != before {
		t.Errorf("what a owns was %s\nand is %s", before, after)
	}
	if seen := s.see(t, s.b); strings.Contains(seen, string(idOf(s.a))) {
		t.Errorf("the neighbour sees %s", seen)
	}
}

// forget what was run, but for what makes something new under an id of its own: to plant it is all that a tenant can do with it.
func (r *recorder) forget(statements store.Statements) {
	for name, sql := range statements {
		if !strings.HasPrefix(sql, "insert ") && !slices.Contains([]string{store.SessionOpen, store.InvoiceCreate, store.OverrideGrant, store.QuotaReserve}, name) {
			delete(r.texts, sql)
		}
	}
}

// statements: what was tried above is all that there is. A new method without a case in the subjects has a statement that no
// neighbour has run.
func (s *suite) statements(t *testing.T) {
	for name, sql := range s.db.Statements {
		if !s.ran.texts[sql] {
			t.Errorf("no subject has a try that runs %s", name)
		}
	}
}

// see is all that a tenant sees of its own.
func (s *suite) see(t *testing.T, ctx context.Context) string {
	t.Helper()
	all := map[string]any{}
	for _, subject := range Subjects(s.db) {
		seen, err := subject.See(ctx)
		if err != nil {
			t.Fatalf("see %s: %v", subject.Name, err)
		}
		all[subject.Name] = seen
	}
	text, err := json.MarshalIndent(all, "", "  ")
	must(t, err)
	return string(text)
}

// missing: no method works without a tenant.
func (s *suite) missing(t *testing.T) {
	for _, subject := range Subjects(s.db) {
		check := func(name string, err error) {
			if !errors.Is(err, tenant.ErrMissing) {
				t.Errorf("%s: %s without a tenant: %v", subject.Name, name, err)
			}
		}
		_, err := subject.Plant(t.Context(), "x")
		check("plant", err)
		_, err = subject.See(t.Context())
		check("see", err)
		for name, try := range subject.Tries {
			check(name, try(t.Context(), uuid.NewString()))
		}
		for name, refer := range subject.Refers {
			check(name, refer(t.Context(), uuid.NewString()))
		}
	}
}

// cancelled: a query that is given up leaves nothing behind that the next tenant could meet.
func (s *suite) cancelled(t *testing.T) {
	for range 3 {
		ctx, cancel := context.WithCancel(s.a)
		started := make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- s.db.Strategy.Query(ctx, idOf(s.a), `select generate_series(1, 200000000)`, pgx.NamedArgs{}, func(pgx.Rows) error {
				select {
				case <-started:
				default:
					close(started)
				}
				return nil
			})
		}()
		select {
		case <-started:
		case err := <-done:
			t.Fatalf("the query that was to be cancelled ends by itself: %v", err)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatalf("the cancelled query ends with %v", err)
		}
		s.own(t, s.b)
		s.own(t, s.a)
	}
}

// panics: a panic while rows are read gives the connection back.
func (s *suite) panics(t *testing.T) {
	for range 3 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = s.db.Strategy.Query(s.a, idOf(s.a), `select generate_series(1, 100000)`, pgx.NamedArgs{}, func(pgx.Rows) error { panic("in a row") })
		}()
		s.own(t, s.b)
		s.own(t, s.a)
	}
}

// own checks that a tenant sees its own documents and no others.
func (s *suite) own(t *testing.T, ctx context.Context) {
	t.Helper()
	docs, _, err := store.NewDocuments(s.db).List(ctx, everything)
	if err != nil || len(docs) == 0 {
		t.Errorf("%s sees %d documents, %v", idOf(ctx), len(docs), err)
	}
	for _, d := range docs {
		if !strings.Contains(d.Body, string(idOf(ctx))) {
			t.Errorf("%s sees %q", idOf(ctx), d.Body)
		}
	}
}

// remembered: whatever tenant a connection of the shared pool worked for, the next one that names none sees no rows. In shared
// tables without a policy the statement alone is the wall, so there is nothing to see here.
func (s *suite) remembered(t *testing.T) {
	if s.db.Strategy.Name() == "row" {
		return
	}
	for range 20 {
		s.own(t, s.a)
		seen := 0
		err := s.db.Pool.QueryRow(t.Context(), `select count(*) from documents`).Scan(&seen)
		if err == nil && seen > 0 {
			t.Fatalf("%d rows are seen without a tenant", seen)
		}
	}
}

// removed: a tenant's rows go, those of its neighbour stay, and it may be asked for again.
func (s *suite) removed(t *testing.T) {
	before := s.see(t, s.b)
	gone := s.admit()
	_, err := store.NewDocuments(s.db).Create(gone, store.Draft{Slug: "plan", Title: "late", Body: "late"})
	must(t, err)
	for range 2 {
		must(t, s.db.Strategy.Remove(t.Context(), idOf(gone)))
	}
	if docs, _, err := store.NewDocuments(s.db).List(gone, everything); err == nil && len(docs) > 0 {
		t.Errorf("%v is left", docs)
	}
	must(t, s.db.Strategy.Provision(gone, idOf(gone)))
	if docs, _, err := store.NewDocuments(s.db).List(gone, everything); err != nil || len(docs) > 0 {
		t.Errorf("the new room holds %v, %v", docs, err)
	}
	if after := s.see(t, s.b); after != before {
		t.Errorf("what the neighbour owns was %s\nand is %s", before, after)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
