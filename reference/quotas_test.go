package reference_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// used is what a tenant has taken of its quotas.
func (s *service) used(token string) map[string]int64 {
	s.t.Helper()
	id, err := s.parts.Verifier.Verify(token)
	if err != nil {
		s.t.Fatal(err)
	}
	used, err := s.parts.API.Quotas.Used(tenant.NewContext(s.t.Context(), id))
	if err != nil {
		s.t.Fatal(err)
	}
	return used
}

// atOnce sends requests side by side and counts the answers by their status.
func (s *service) atOnce(n int, send func(i int) (int, string, error)) map[int]int {
	s.t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := map[int]int{}
	for i := range n {
		wg.Go(func() {
			status, text, err := send(i)
			if err != nil {
				s.t.Error(text, err)
			}
			mu.Lock()
			defer mu.Unlock()
			answers[status]++
		})
	}
	wg.Wait()
	return answers
}

func plan(slug any) map[string]any {
	return map[string]any{"slug": fmt.Sprint(slug), "title": "t", "body": "b"}
}

// TestDocumentQuota: however many come at once, a tenant gets as many documents as its tier allows, and its neighbour too. What
// fails takes nothing, and what is deleted for good is given back. A change of tier changes the quota and not the count.
func TestDocumentQuota(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		token, neighbour := s.admitTo("small", "test-small"), s.admitTo("other", "test-small")
		answers := s.atOnce(12, func(i int) (int, string, error) { return s.try(token, "POST", "/v1/documents", plan(i)) })
		if answers[201] != 5 || answers[403] != 7 {
			t.Fatalf("of twelve at once: %v", answers)
		}
		s.problem("a sixth document", 403, token, "POST", "/v1/documents", http.Header{"Content-Type": {"application/json"}}, asText(plan("sixth")))
		items := s.want(200, token, "GET", "/v1/documents", nil)["items"].([]any)
		first := text(items[0].(map[string]any), "id")
		if status, body := s.do(token, "POST", "/v1/documents/"+first+"/clone", map[string]string{"slug": "copy"}); status != 403 || !strings.Contains(body, "5 documents") {
			t.Errorf("a copy: %d %s", status, body)
		}
		s.want(404, token, "POST", "/v1/documents/"+string(tenant.New())+"/clone", map[string]string{"slug": "copy"})
		s.want(204, token, "DELETE", "/v1/documents/"+first, nil)
		s.want(403, token, "POST", "/v1/documents", plan("while it is in the trash"))
		gone := s.atOnce(3, func(int) (int, string, error) { return s.try(token, "DELETE", "/v1/trash/"+first, nil) })
		if gone[204] != 1 || s.used(token)["documents"] != 4 {
			t.Errorf("deleted for good thrice: %v, and %v is used", gone, s.used(token))
		}
		taken := text(items[1].(map[string]any), "slug")
		s.want(409, token, "POST", "/v1/documents", plan(taken))
		s.want(422, token, "POST", "/v1/documents", map[string]any{"slug": "x", "title": "t", "body": "b", "category_id": string(tenant.New())})
		if s.used(token)["documents"] != 4 {
			t.Errorf("what failed took something: %v", s.used(token))
		}
		for i := range 5 {
			s.want(201, neighbour, "POST", "/v1/documents", plan(i))
		}
		id, _ := s.parts.Verifier.Verify(token)
		path := "/admin/tenants/" + string(id.Tenant) + "/tier"
		for _, tier := range []string{"test-database", "test-schema", "test-small"} {
			s.want(204, s.parts.API.OperatorKey, "PUT", path, map[string]string{"tier": tier})
			if s.used(token)["documents"] != 4 {
				t.Errorf("on the tier %s %v is used", tier, s.used(token))
			}
		}
		s.want(201, token, "POST", "/v1/documents", plan("fifth"))
		s.want(403, token, "POST", "/v1/documents", plan("sixth"))
	})
}

// TestByteQuota: files and their versions together have as many bytes as the tier allows. An upload that fails gives its bytes back,
// and a deleted file all that it had.
func TestByteQuota(t *testing.T) {
	s := start(t, "rls")
	token := s.admitTo("small", "test-small")
	tenth := strings.Repeat("x", 6<<10)
	answers := s.atOnce(16, func(i int) (int, string, error) { return s.try(token, "PUT", fmt.Sprint("/v1/files/", i%4), tenth) })
	if answers[204] != 10 || answers[403] != 6 || s.used(token)["bytes"] != 60<<10 {
		t.Fatalf("of sixteen at once: %v; %v is used", answers, s.used(token))
	}
	s.want(400, token, "PUT", "/v1/files/a%5cb", "x") // a name that is refused
	if got := s.used(token)["bytes"]; got != 60<<10 {
		t.Errorf("what failed took something: %d", got)
	}
	for i := range 4 {
		s.want(204, token, "DELETE", fmt.Sprint("/v1/files/", i), nil)
		s.want(404, token, "DELETE", fmt.Sprint("/v1/files/", i), nil)
	}
	if got := s.used(token)["bytes"]; got != 0 {
		t.Errorf("without a file %d bytes are used", got)
	}
	s.want(403, token, "PUT", "/v1/files/whole", strings.Repeat("x", 64<<10+1))
	s.want(204, token, "PUT", "/v1/files/whole", strings.Repeat("x", 64<<10))
}

// TestReservedOnce: bytes that an upload took are given back or kept, once.
func TestReservedOnce(t *testing.T) {
	s := start(t, "row")
	token := s.admitTo("small", "test-small")
	id, _ := s.parts.Verifier.Verify(token)
	id.Tier = "test-small"
	ctx, q := tenant.NewContext(t.Context(), id), s.parts.API.Quotas
	reservation, err := q.Reserve(ctx, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, store.ErrNotFound} {
		if err := q.Release(ctx, reservation); !errors.Is(err, want) {
			t.Errorf("given back %d times: %v", i+1, err)
		}
	}
	if err := q.Keep(ctx, reservation, "x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("kept after it was given back: %v", err)
	}
	if got := s.used(token)["bytes"]; got != 0 {
		t.Errorf("%d bytes are used", got)
	}
}

// TestJobQuota: of a tenant's jobs as many wait as its tier allows, and its neighbour's are not counted.
func TestJobQuota(t *testing.T) {
	s := start(t, "row")
	s.parts.API.Jobs.Close() // nobody works
	passed := map[tenant.ID]int{}
	for range 8 {
		for _, id := range []tenant.ID{"a", "b"} {
			ctx := tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, Tier: "test-small"})
			if err := s.parts.API.Jobs.Enqueue(ctx, jobs.Job{Kind: "x"}); err == nil {
				passed[id]++
			}
		}
	}
	if passed["a"] != 5 || passed["b"] != 5 {
		t.Errorf("of eight wait %v", passed)
	}
}
