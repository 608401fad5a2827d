package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/store/storetest"
	"github.com/partywall/partywall/reference/tenant"
)

// trailed is a tenant with a trail of ten entries, in shared tables.
func trailed(t *testing.T, strategy string) (context.Context, *store.DB, store.Postgres, store.Audit) {
	t.Helper()
	db, p := openOn(t, strategy, storetest.Wide)
	id := tenant.New()
	err := (&store.Tenants{Pool: db.Pool}).Add(t.Context(), store.Record{ID: id, Slug: string(id), Tier: "test", Status: store.Active})
	ctx := tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, User: "älice@example.com", Role: "admin", Tier: "test"})
	ctx = tenant.WithOrigin(ctx, tenant.Origin{IP: "203.0.113.9", Agent: "curl/8 \\ü", Request: "r"})
	if err == nil {
		err = db.Strategy.Provision(ctx, id)
	}
	trail := store.NewAudit(db, &store.Anchors{Pool: db.Pool, Mark: func(texts ...string) string { return "key " + strings.Join(texts, "|") }})
	for i := range 10 {
		if err == nil {
			err = trail.Append(ctx, "act", fmt.Sprint("n", i))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return ctx, db, p, trail
}

// TestChainBreaks: what an owner of the tables does to a trail, the check finds, and says where.
func TestChainBreaks(t *testing.T) {
	for name, tc := range map[string]struct {
		sql    string
		broken int64
	}{
		"nothing":                  {`select $1::uuid`, 0},
		"an object changed":        {`update audit set object = 'x' where seq = 4 and tenant_id = $1`, 4},
		"text between two columns": {`update audit set action = 'a', object = 'ctn3' where seq = 4 and tenant_id = $1`, 4},
		"a time changed":           {`update audit set at = at + interval '1 microsecond' where seq = 5 and tenant_id = $1`, 5},
		"an actor changed":         {`update audit set actor = 'bob' where seq = 10 and tenant_id = $1`, 10},
		"one taken out":            {`delete from audit where seq = 6 and tenant_id = $1`, 6},
		"the first taken out":      {`delete from audit where seq = 1 and tenant_id = $1`, 1},
		"the end cut off":          {`delete from audit where seq > 7 and tenant_id = $1`, 8},
		"all of it gone":           {`delete from audit where tenant_id = $1`, 1},
		"two swapped": {`update audit a set object = b.object from audit b
			where a.tenant_id = $1 and b.tenant_id = $1 and (a.seq, b.seq) in ((3, 4), (4, 3))`, 3},
		"the head gone": {`delete from audit_heads where tenant_id = $1`, 1},
		"the end cut off, and the head turned back": {`with gone as (delete from audit where seq > 7 and tenant_id = $1)
			update audit_heads h set seq = 7, hash = a.hash from audit a where a.seq = 7 and a.tenant_id = $1 and h.tenant_id = $1`, 8},
		"all made anew": {`with x as (delete from audit_heads where tenant_id = $1) delete from audit where tenant_id = $1`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, _, p, trail := trailed(t, "row")
			if v, err := trail.Verify(ctx); err != nil || !v.Intact || v.Entries != 10 || v.Last != 10 {
				t.Fatalf("the whole trail: %+v, %v", v, err)
			}
			id, _ := tenant.From(ctx)
			if _, err := p.Owner.Exec(ctx, tc.sql, string(id.Tenant)); err != nil {
				t.Fatal(err)
			}
			if v, err := trail.Verify(ctx); err != nil || v.Broken != tc.broken || v.Intact != (tc.broken == 0) {
				t.Errorf("it finds %+v, %v", v, err)
			}
		})
	}
}

// TestAnchorForged: an anchor without the service's mark is no anchor.
func TestAnchorForged(t *testing.T) {
	ctx, db, _, trail := trailed(t, "row")
	if _, err := trail.Verify(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool.Exec(ctx, `update audit_anchors set seq = 3`); err != nil {
		t.Fatal(err)
	}
	if v, err := trail.Verify(ctx); err == nil {
		t.Errorf("it finds %+v", v)
	}
}

// TestAppendOnly: the application's role can only add, in every strategy, and cannot choose what the chain is made of.
func TestAppendOnly(t *testing.T) {
	for _, strategy := range store.Strategies() {
		t.Run(strategy, func(t *testing.T) {
			ctx, db, _, trail := trailed(t, strategy)
			id, _ := tenant.From(ctx)
			for _, sql := range []string{
				`update audit set object = 'x' where tenant_id = @tenant::uuid`,
				`delete from audit where tenant_id = @tenant::uuid`,
				`truncate audit`,
				`update audit_heads set seq = 3 where tenant_id = @tenant::uuid`,
				`delete from audit_heads where tenant_id = @tenant::uuid`,
				`insert into audit_heads values (@tenant::uuid, 1, '', now(), 0, '')`,
				`insert into audit (tenant_id, seq, actor, action, object) values (@tenant::uuid, 99, 'a', 'b', 'c')`,
				`insert into audit (tenant_id, at, actor, action, object) values (@tenant::uuid, now(), 'a', 'b', 'c')`,
				`insert into audit (tenant_id, hash, actor, action, object) values (@tenant::uuid, 'x', 'a', 'b', 'c')`,
				`alter table audit disable trigger all`,
				`drop function audit_chain() cascade`,
			} {
				err := db.Strategy.Query(ctx, id.Tenant, sql, pgx.NamedArgs{"tenant": string(id.Tenant)}, nil)
				if err == nil || !strings.Contains(err.Error(), "42501") {
					t.Errorf("%s: %v", sql, err)
				}
			}
			if v, err := trail.Verify(ctx); err != nil || !v.Intact || v.Entries != 10 {
				t.Errorf("it finds %+v, %v", v, err)
			}
		})
	}
}

// TestTogether: entries that are added at once stand one behind the other, those of two tenants in two chains.
func TestTogether(t *testing.T) {
	for _, strategy := range store.Strategies() {
		t.Run(strategy, func(t *testing.T) {
			ctx, db, _, trail := trailed(t, strategy)
			other := neighbours(t, db, &store.Tenants{Pool: db.Pool})
			g, _ := errgroup.WithContext(t.Context())
			for range 8 {
				g.Go(func() error {
					for range 10 {
						if err := trail.Append(ctx, "act", "x"); err != nil {
							return err
						}
						if err := trail.Refuse(other, "act", "y"); err != nil {
							return err
						}
					}
					return nil
				})
			}
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			for ctx, want := range map[context.Context]int{ctx: 90, other: 80} {
				if v, err := trail.Verify(ctx); err != nil || !v.Intact || v.Entries != want || v.Last != int64(want) {
					t.Errorf("it finds %+v, %v", v, err)
				}
			}
		})
	}
}

// TestPrune: what is older goes, the chain begins later and holds, and the trail says so.
func TestPrune(t *testing.T) {
	for _, strategy := range store.Strategies() {
		t.Run(strategy, func(t *testing.T) {
			ctx, _, _, trail := trailed(t, strategy)
			all, err := trail.List(ctx, store.Span{Limit: 100})
			if err != nil || all[0].IP != "203.0.113.9" || all[0].Agent != "curl/8 \\ü" || all[0].Outcome != store.Done {
				t.Fatalf("%+v, %v", all, err)
			}
			if n, err := trail.Prune(ctx, all[len(all)-1].At); n != 0 || err != nil {
				t.Errorf("nothing is older, and %d went, %v", n, err)
			}
			if n, err := trail.Prune(ctx, all[5].At); n != 4 || err != nil { // numbers 1 to 4
				t.Errorf("%d went, %v", n, err)
			}
			v, err := trail.Verify(ctx)
			if err != nil || !v.Intact || v.First != 5 || v.Last != 11 || v.Entries != 7 {
				t.Errorf("it finds %+v, %v", v, err)
			}
			left, err := trail.List(ctx, store.Span{Limit: 100})
			if err != nil || left[0].Action != "audit.prune" || !strings.HasPrefix(left[0].Object, "4 entries, the last of them number 4 ") {
				t.Errorf("it holds %+v, %v", left, err)
			}
			if n, err := trail.Prune(ctx, time.Now().Add(time.Hour)); n != 7 || err != nil {
				t.Errorf("%d went, %v", n, err)
			}
			if v, err = trail.Verify(ctx); err != nil || !v.Intact || v.First != 12 || v.Entries != 1 {
				t.Errorf("it finds %+v, %v", v, err)
			}
			span := store.Span{From: left[5].At, To: left[2].At, Limit: 2}
			if got, err := trail.List(ctx, span); err != nil || len(got) != 0 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// BenchmarkAppend: an entry with and without its chain.
func BenchmarkAppend(b *testing.B) {
	for _, chained := range []bool{true, false} {
		b.Run(fmt.Sprintf("chained=%t", chained), func(b *testing.B) {
			db, p := openOn(b, "row", storetest.Wide)
			ctx := tenant.NewContext(b.Context(), tenant.Identity{Tenant: tenant.New(), User: "alice@example.com"})
			if !chained {
				_, err := p.Owner.Exec(ctx, `drop trigger audit_chain on audit; create sequence s; grant usage on s to partywall_app;
					alter table audit alter seq set default nextval('s'), alter at set default now(), alter hash set default ''`)
				if err != nil {
					b.Fatal(err)
				}
			}
			trail := store.NewAudit(db, nil)
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				began := time.Now()
				if err := trail.Append(ctx, "document.create", "x"); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
