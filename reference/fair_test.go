package reference_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// slowly has a statement take a while; it is found again in what Postgres says is going on.
func slowly(name string, seconds float64) func(*reference.Parts) {
	return func(p *reference.Parts) {
		p.DB.Statements[name] = fmt.Sprintf(`with slow as materialized (select pg_sleep(%g)) `, seconds) +
			strings.Replace(p.DB.Statements[name], "from documents", "from slow, documents", 1)
	}
}

// flooded has a tenant send requests until the test ends, and returns how many are under way.
func (s *service) flooded(token, path string, atOnce int) *atomic.Int64 {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	under, flood := &atomic.Int64{}, sync.WaitGroup{}
	s.t.Cleanup(func() { stop(); flood.Wait() })
	for range atOnce {
		flood.Go(func() {
			for ctx.Err() == nil {
				under.Add(1)
				_, _, _ = s.try(token, "GET", path, nil) // whatever is answered: it is a flood
				under.Add(-1)
			}
		})
	}
	s.until("the flood has begun", func() bool { return under.Load() >= int64(atOnce) })
	return under
}

// TestSlowNeighbour: while one tenant's slow statements fill its share of the connections, another is served with all that it asks
// for, and before the flood is over.
func TestSlowNeighbour(t *testing.T) {
	s := start(t, "rls", slowly(store.DocumentGet, 0.3))
	_, loud := s.admit("loud")
	_, quiet := s.admit("quiet")
	doc := s.document(loud, "slow")
	under := s.flooded(loud, "/v1/documents/"+doc, 60) // more than there are connections
	pool := s.parts.Service.App
	s.until("its share is taken", func() bool { return int(pool.Stat().AcquiredConns()) >= s.parts.Connections.Each })
	for range 10 {
		s.want(200, quiet, "GET", "/v1/preferences", nil)
		s.want(200, quiet, "GET", "/v1/documents", nil)
	}
	if under.Load() < 30 {
		t.Errorf("the flood had ebbed away: %d were under way", under.Load())
	}
	if most := int(pool.Stat().AcquiredConns()); most > s.parts.Connections.Each+2 {
		t.Errorf("%d connections are taken; the tenant's share is %d", most, s.parts.Connections.Each)
	}
}

// TestSearchFlood: searches of one tenant wait for each other; those of another, and all that costs little, do not wait for them.
func TestSearchFlood(t *testing.T) {
	s := start(t, "row", slowly(store.DocumentList, 0.2), func(p *reference.Parts) { p.Expensive.Waiting = 20 })
	_, loud := s.admit("loud")
	_, quiet := s.admit("quiet")
	doc := s.document(loud, "slow")
	s.flooded(loud, "/v1/documents?q=plan", 24)
	s.want(200, quiet, "GET", "/v1/documents?q=plan", nil)
	s.want(200, quiet, "GET", "/v1/invoices/totals", nil)
	s.want(200, loud, "GET", "/v1/documents/"+doc, nil)
	more := s.atOnce(24, func(int) (int, string, error) { return s.try(loud, "GET", "/v1/documents?q=plan", nil) })
	if more[429] == 0 || more[200]+more[429] != 24 {
		t.Errorf("of 24 more searches: %v", more)
	}
	s.problem("one too many", 404, quiet, "GET", "/v1/documents/"+doc, nil, "")
}

// TestGivenUpInLine: a request whose patience ends while it waits for its turn is refused, and takes nothing with it.
func TestGivenUpInLine(t *testing.T) {
	s := start(t, "row", impatient)
	id, token := s.admit("acme")
	var all []func()
	for range s.parts.Expensive.Each {
		leave, err := s.parts.API.Turn(tenant.NewContext(t.Context(), tenant.Identity{Tenant: tenant.ID(id)}))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, leave)
	}
	s.problem("its turn does not come", 503, token, "GET", "/v1/documents", nil, "")
	for _, leave := range all {
		leave()
	}
	s.want(200, token, "GET", "/v1/documents", nil)
}

// TestStatementTimeout: the application's statements end by themselves, in every room, and who waits for one is told to come again.
func TestStatementTimeout(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		_, token := s.admit("acme")
		s.document(token, "a")
		list := s.parts.DB.Statements[store.DocumentList]
		id, _ := s.parts.Verifier.Verify(token)
		ctx := tenant.NewContext(t.Context(), id)
		s.parts.DB.Statements[store.CategoryList] = `select gen_random_uuid() as id, current_setting('statement_timeout') as name
			where @tenant::uuid is not null`
		found, err := s.parts.API.Categories.List(ctx)
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		if seen := found[0].Name; seen != "15s" {
			t.Errorf("a statement may take %s", seen)
		}
		s.parts.DB.Statements[store.DocumentList] = `with late as materialized (select pg_cancel_backend(pg_backend_pid()), pg_sleep(5))
			select d.* from (` + list + `) d, late`
		s.problem("a statement that is ended", 503, token, "GET", "/v1/documents", nil, "")
		s.parts.DB.Statements[store.DocumentList] = list
		s.want(200, token, "GET", "/v1/documents", nil)
	})
}
