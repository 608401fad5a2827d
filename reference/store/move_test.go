package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/store/storetest"
	"github.com/partywall/partywall/reference/tenant"
)

// TestMove: a tenant changes its tier back and forth, and every move is broken off again and again. At each point it sees all
// that it owns, and once; when the move is done, no other room holds anything of it.
func TestMove(t *testing.T) {
	db, p := openOn(t, "hybrid", storetest.Wide)
	id := tenant.New()
	registry := &store.Tenants{Pool: db.Pool}
	if err := registry.Add(t.Context(), store.Record{ID: id, Slug: "acme", Tier: "test", Status: store.Active}); err != nil {
		t.Fatal(err)
	}
	own := tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, User: "alice@example.com", Role: "admin", Tier: "test"})
	neighbour := neighbours(t, db, registry)
	if err := db.Strategy.Provision(own, id); err != nil {
		t.Fatal(err)
	}
	fill := func(sql string) {
		t.Helper()
		if err := db.Strategy.Query(own, id, sql, pgx.NamedArgs{"tenant": string(id)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	fill(`insert into documents (tenant_id, id, slug, title, body) select @tenant::uuid, gen_random_uuid(), 's' || n, 'of ' || @tenant, 'quotes '' " \ and ü'
		from generate_series(1, 1203) n`)
	fill(`insert into audit (tenant_id, actor, action, object) select @tenant::uuid, 'alice', 'act', n::text from generate_series(1, 1001) n`)
	for _, s := range storetest.Subjects(db) {
		if _, err := s.Plant(own, "one"); err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
	}
	count := func(s store.Strategy) (rows []int) {
		for _, table := range store.TenantTables() {
			n := 0
			err := s.Query(own, id, `select count(*) from `+table+` where tenant_id = @tenant::uuid`, pgx.NamedArgs{"tenant": string(id)},
				func(r pgx.Rows) error { return r.Scan(&n) })
			if err != nil {
				return nil // it has no such room
			}
			rows = append(rows, n)
		}
		return rows
	}
	whole := count(db.Strategy)
	if slices.Min(whole) == 0 || slices.Max(whole) < 1203 {
		t.Fatalf("there is nothing to move in one of %v: %v", store.TenantTables(), whole)
	}
	mover, ok := db.Strategy.(store.Mover)
	if !ok {
		t.Fatal("the strategy moves nobody")
	}
	rooms := map[string]string{"test": "rls", "test-schema": "schema", "test-database": "database"}
	for _, tier := range []string{"test-schema", "test-database", "test-schema", "test", "test-database", "test"} {
		broken := 0
		for patience := time.Millisecond; ; patience = patience * 4 / 3 {
			ctx, cancel := context.WithTimeout(own, patience)
			err := mover.Move(ctx, id, tier)
			// A dial over TCP says that it timed out, and no more, and may say so a moment before the context does.
			deadline, _ := ctx.Deadline()
			over := !time.Now().Before(deadline)
			cancel()
			if got := count(db.Strategy); !slices.Equal(got, whole) {
				t.Fatalf("on its way to %s, broken off after %s, it sees %v rows", tier, patience, got)
			}
			if err == nil {
				break
			}
			var pg *pgconn.PgError
			brokenOff := over || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &pg) && pg.Code == "57014"
			if !brokenOff || patience > time.Minute {
				t.Fatalf("on its way to %s, after %s: %v", tier, patience, err)
			}
			broken++
		}
		if broken == 0 {
			t.Errorf("no move to %s was broken off", tier)
		}
		for other, room := range rooms {
			if room == "database" && other != tier {
				continue // it was dropped: only the hybrid's own pools know
			}
			s, err := store.Open(room, p)
			if err != nil {
				t.Fatal(err)
			}
			if got := count(s); other == tier != slices.Equal(got, whole) || other != tier && slices.Max(append(got, 0)) > 0 {
				t.Errorf("at home in %s, the room %s holds %v", tier, room, got)
			}
			s.Close()
		}
		trail, err := store.NewAudit(db, nil).List(own, store.Span{Limit: 1})
		if err != nil || trail[0].Object != "one" {
			t.Errorf("the trail ends with %v, %v", trail, err)
		}
		if v, err := store.NewAudit(db, nil).Verify(own); err != nil || !v.Intact || v.Entries < 1001 {
			t.Errorf("the chain was moved to %s as %+v, %v", tier, v, err)
		}
	}
	if docs, _, err := store.NewDocuments(db).List(neighbour, store.Filter{Page: store.Page{Limit: 10}}); err != nil || len(docs) != 1 {
		t.Errorf("the neighbour sees %v, %v", docs, err)
	}
}

// neighbours admits a tenant beside, with one document.
func neighbours(t *testing.T, db *store.DB, registry *store.Tenants) context.Context {
	t.Helper()
	id := tenant.New()
	ctx := tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, User: "bob@example.com", Role: "admin", Tier: "test"})
	err := registry.Add(ctx, store.Record{ID: id, Slug: "globex", Tier: "test", Status: store.Active})
	if err == nil {
		err = db.Strategy.Provision(ctx, id)
	}
	if err == nil {
		_, err = store.NewDocuments(db).Create(ctx, store.Draft{Slug: "plan", Title: "a", Body: "b"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// held is another transaction that keeps something locked, until it is let go.
func held(t *testing.T, p store.Postgres, sql string, args ...any) (letGo func()) {
	t.Helper()
	tx, err := p.Owner.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), sql, args...)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }) // where the test breaks off
	return func() {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// waits until somebody waits for what is locked.
func waits(t *testing.T, p store.Postgres) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for hang := time.After(time.Minute); ; {
		waiting := false
		err := p.Owner.QueryRow(t.Context(), `select exists (select from pg_locks where not granted)`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if waiting {
			return
		}
		select {
		case <-poll.C:
		case <-hang:
			t.Fatal("nobody waits")
		}
	}
}

// home is where the registry says that a tenant lives.
func home(t *testing.T, p store.Postgres, id tenant.ID) (name string) {
	t.Helper()
	if err := p.Owner.QueryRow(t.Context(), `select home from tenants where id = $1`, string(id)).Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestMovesTogether: while a tenant moves, a second move of it is refused, and one of its neighbour is not.
func TestMovesTogether(t *testing.T) {
	db, p := openOn(t, "hybrid", storetest.Wide)
	a, b := settled(t, db), settled(t, db)
	mover := db.Strategy.(store.Mover)
	letGo := held(t, p, `lock table documents in access exclusive mode`)
	first := make(chan error, 1)
	go func() { first <- mover.Move(a, tenantOf(t, a), "test-schema") }()
	waits(t, p)
	for _, tier := range []string{"test-database", "test-schema", "test"} {
		ctx, cancel := context.WithTimeout(a, time.Minute)
		if err := mover.Move(ctx, tenantOf(t, a), tier); !errors.Is(err, store.ErrMoving) {
			t.Errorf("a second move to %s: %v", tier, err)
		}
		cancel()
	}
	neighbour := make(chan error, 1)
	go func() { neighbour <- mover.Move(b, tenantOf(t, b), "test-database") }()
	select {
	case err := <-first:
		t.Errorf("the first did not wait: %v", err)
	default:
	}
	letGo()
	if err := errors.Join(<-first, <-neighbour); err != nil {
		t.Error(err)
	}
	if at, beside := home(t, p, tenantOf(t, a)), home(t, p, tenantOf(t, b)); at != "schema" || beside != "database" {
		t.Errorf("they live in %s and %s", at, beside)
	}
	for _, ctx := range []context.Context{a, b} {
		if docs, _, err := store.NewDocuments(db).List(ctx, store.Filter{Page: store.Page{Limit: 10}}); err != nil || len(docs) == 0 {
			t.Errorf("%s sees %v, %v", tenantOf(t, ctx), docs, err)
		}
	}
	if err := mover.Move(a, tenantOf(t, a), "test"); err != nil { // the lock is gone with the move
		t.Error(err)
	}
}

// TestTurnedTooLate: a move that is broken off while it turns the sign turns it before the next one looks, or never.
func TestTurnedTooLate(t *testing.T) {
	db, p := openOn(t, "hybrid", storetest.Wide)
	a := settled(t, db)
	id := tenantOf(t, a)
	mover := db.Strategy.(store.Mover)
	letGo := held(t, p, `select from tenants where id = $1 for update`, string(id))
	ctx, breakOff := context.WithCancel(a)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- mover.Move(ctx, id, "test-schema") }()
	waits(t, p) // the room is full, and the sign is about to be turned
	var same int
	err := p.Owner.QueryRow(t.Context(), `select count(*) from pg_locks turns join pg_locks holds using (pid)
		where not turns.granted and holds.granted and holds.locktype = 'advisory'`).Scan(&same)
	if err != nil || same == 0 {
		t.Errorf("the session that turns the sign does not hold the lock: what it was sent may be done behind the next move; %v", err)
	}
	breakOff()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Fatalf("broken off it ends with %v", err)
	}
	go func() { second <- mover.Move(a, id, "test-database") }()
	waits(t, p)
	letGo()
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	if at := home(t, p, id); at != "database" {
		t.Errorf("after the second move the sign says %s", at)
	}
	if docs, _, err := store.NewDocuments(db).List(a, store.Filter{Page: store.Page{Limit: 10}}); err != nil || len(docs) == 0 {
		t.Errorf("it sees %v, %v", docs, err)
	}
}

// TestMoveOrRemove: a tenant that is being deleted is not moved, and one that is being moved is not emptied under it.
func TestMoveOrRemove(t *testing.T) {
	db, p := openOn(t, "hybrid", storetest.Wide)
	a := settled(t, db)
	id := tenantOf(t, a)
	mover, registry := db.Strategy.(store.Mover), &store.Tenants{Pool: db.Pool}
	letGo := held(t, p, `lock table documents in access exclusive mode`)
	moved := make(chan error, 1)
	go func() { moved <- mover.Move(a, id, "test-schema") }()
	waits(t, p)
	if err := registry.Take(a, id, store.End); err != nil {
		t.Fatal(err)
	}
	if err := db.Strategy.Remove(a, id); !errors.Is(err, store.ErrMoving) {
		t.Errorf("while it moves: %v", err)
	}
	letGo()
	if err := <-moved; err != nil {
		t.Error(err)
	}
	if err := mover.Move(a, id, "test-database"); !errors.Is(err, store.ErrState) {
		t.Errorf("while it is deleted: %v", err)
	}
	if at := home(t, p, id); at != "schema" {
		t.Errorf("it lives in %s", at)
	}
	if err := db.Strategy.Remove(a, id); err != nil {
		t.Error(err)
	}
}
