package reference_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

// once sends a POST with an idempotency key, and returns the status, whether the answer is one that was given before, and the body.
func (s *service) once(token, key, path, body string) (status int, replayed bool, answer string) {
	s.t.Helper()
	header := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {key}}
	status, answered, answer := s.raw(token, "POST", path, header, body)
	return status, answered.Get("Idempotent-Replayed") == "true", answer
}

// TestOnceForEachUser: the same request with the same key is another one for another user, of the tenant or of its neighbour who has
// the same name: each does its own, and gets its own answer again.
func TestOnceForEachUser(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		_, a := s.admit("acme")
		_, b := s.admit("globex")
		bob := text(s.join(a, "bob@example.com"), "token")
		const body = `{"customer":"x","amount_cents":1}`
		first := map[string]string{}
		for _, token := range []string{a, b, bob} {
			status, replayed, answer := s.once(token, "key", "/v1/invoices", body)
			if status != 201 || replayed {
				t.Errorf("the first request of a user answers %d, replayed %v: %s", status, replayed, answer)
			}
			for _, other := range first {
				if other == answer {
					t.Errorf("two users got the answer %s", answer)
				}
			}
			first[token] = answer
		}
		for _, token := range []string{bob, b, a} {
			if status, replayed, answer := s.once(token, "key", "/v1/invoices", body); status != 201 || !replayed || answer != first[token] {
				t.Errorf("the second request answers %d, replayed %v: %s, want %s", status, replayed, answer, first[token])
			}
		}
		for token, want := range map[string]float64{a: 2, b: 1} {
			if got := s.want(200, token, "GET", "/v1/invoices/totals", nil); got["count"] != want {
				t.Errorf("there are %v invoices, want %v", got["count"], want)
			}
		}
	})
}

// TestOnceIsOneRequest: a key stands for one request. With another body, path or query it is refused, and does nothing; another key, or
// none, is another request, and so is one with the key of a request that was refused.
func TestOnceIsOneRequest(t *testing.T) {
	s := start(t, "row")
	_, a := s.admit("acme")
	one, two := s.document(a, "one"), s.document(a, "two")
	clone := func(id string) string { return "/v1/documents/" + id + "/clone" }
	const body = `{"slug":"copy"}`
	_, _, first := s.once(a, "key", clone(one), body)
	if !strings.Contains(first, `"slug":"copy"`) {
		t.Fatalf("the first request answers %s", first)
	}
	before := s.everything()
	for path, body := range map[string]string{
		clone(one): `{"slug":"another"}`, clone(one) + "?x": body, clone(two): body, "/v1/categories": `{"name":"x"}`, "/v1/documents": body,
	} {
		if status, replayed, answer := s.once(a, "key", path, body); status != 422 || replayed || strings.Contains(answer, "copy") {
			t.Errorf("POST %s %s with the key of another request answers %d %s", path, body, status, answer)
		}
	}
	if s.everything() != before {
		t.Error("something was done nevertheless")
	}
	if status, replayed, _ := s.once(a, "another key", clone(one), body); status != 409 || replayed { // there is a copy already
		t.Errorf("with another key it answers %d, replayed %v", status, replayed)
	}
	if status, replayed, answer := s.once(a, "another key", clone(one), `{"slug":"copy 2"}`); status != 201 || replayed {
		t.Errorf("after a refusal its key answers %d, replayed %v: %s", status, replayed, answer)
	}
	s.want(201, a, "POST", clone(one), map[string]string{"slug": "copy 3"})
	for _, bad := range []string{"", strings.Repeat("x", 201), "\xff"} {
		if status, _, answer := s.once(a, bad, clone(one), `{"slug":"copy 4"}`); status != 400 {
			t.Errorf("the key %q answers %d %s", bad, status, answer)
		}
	}
	header := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"one", "two"}}
	s.problem("two keys", 400, a, "POST", clone(one), header, `{"slug":"copy 5"}`)
}

// TestOnceForgets: an answer is kept for a day. Then its key is good for another request, and with the tenant's next claim the answer
// goes; those of a neighbour, who has made none, stay.
func TestOnceForgets(t *testing.T) {
	s := start(t, "row")
	_, login := s.newcomer("acme")
	_, theirs := s.newcomer("globex")
	for _, token := range []string{text(login(), "token"), text(theirs(), "token")} {
		for _, key := range []string{"one", "two", "three"} {
			if status, _, answer := s.once(token, key, "/v1/categories", `{"name":"of `+key+`"}`); status != 201 {
				t.Fatalf("it answers %d %s", status, answer)
			}
		}
	}
	kept := func() (n int) {
		if err := s.parts.Service.Owner.QueryRow(t.Context(), `select count(*) from onces where body <> ''`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	s.later(24*time.Hour - time.Minute)
	a := text(login(), "token")
	if status, replayed, answer := s.once(a, "one", "/v1/categories", `{"name":"of one"}`); status != 201 || !replayed {
		t.Errorf("a minute before it is forgotten it answers %d, replayed %v: %s", status, replayed, answer)
	}
	s.later(2 * time.Minute)
	if n := kept(); n != 6 {
		t.Errorf("before anybody claims, %d answers are kept", n)
	}
	if status, replayed, answer := s.once(a, "one", "/v1/categories", `{"name":"another"}`); status != 201 || replayed || !strings.Contains(answer, "another") {
		t.Errorf("then its key answers %d, replayed %v: %s", status, replayed, answer)
	}
	if n := kept(); n != 4 {
		t.Errorf("of the first tenant and its neighbour %d answers are kept, want one and three", n)
	}
}

// TestOnceAtATime: while the first request with a key is at work, a second one is refused; when it is done, its answer is there.
func TestOnceAtATime(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s := start(t, "row", func(p *reference.Parts) { p.API.Categories = slowCategories{p.API.Categories, entered, leave} })
	_, a := s.admit("acme")
	const body = `{"name":"plans"}`
	done := make(chan string, 1)
	go func() {
		_, _, answer, err := s.tryRaw(a, "POST", "/v1/categories", http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"key"}}, body)
		if err != nil {
			t.Error(err)
		}
		done <- answer
	}()
	<-entered
	if status, replayed, answer := s.once(a, "key", "/v1/categories", body); status != 409 || replayed {
		t.Errorf("meanwhile it answers %d %s", status, answer)
	}
	close(leave)
	first := <-done
	if status, replayed, again := s.once(a, "key", "/v1/categories", body); status != 201 || !replayed || again != first {
		t.Errorf("afterwards it answers %d, replayed %v: %s; the first got %s", status, replayed, again, first)
	}
}

// slowCategories tells when one is about to be made, and waits.
type slowCategories struct {
	store.Categories
	entered, leave chan struct{}
}

func (c slowCategories) Create(ctx context.Context, name string) (store.Category, error) {
	close(c.entered)
	<-c.leave
	return c.Categories.Create(ctx, name)
}
