package harness_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/harness"
)

// odd is a service with a twist: the notes of run_test.go behind a handler that bends requests and answers.
func odd(t *testing.T, broken bool, twist func(next http.Handler) http.Handler, verbs ...harness.Verb) *oddTarget {
	t.Helper()
	n := &notebook{broken: broken, rows: map[string]map[string]string{}}
	var h http.Handler = n
	if twist != nil {
		h = twist(n)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return &oddTarget{target: target{url: server.URL}, verbs: verbs}
}

// notebook keeps texts of tenants; broken, it forgets to ask whose they are when it changes or deletes.
type notebook struct {
	mu     sync.Mutex
	broken bool
	next   int
	rows   map[string]map[string]string // id to tenant and text
}

func (n *notebook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	tenant := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	id := strings.TrimPrefix(r.URL.Path, "/notes/")
	row := n.rows[id]
	mine := row != nil && (row["tenant"] == tenant || n.broken && r.Method != http.MethodGet)
	var in struct{ Text string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	switch {
	case tenant == "":
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodPost:
		n.next++
		id = fmt.Sprintf("note-number-%08d", n.next)
		n.rows[id] = map[string]string{"id": id, "tenant": tenant, "text": in.Text}
		_, _ = fmt.Fprintf(w, `{"id":%q}`, id)
	case r.URL.Path == "/notes":
		out := []map[string]string{}
		for _, row := range n.rows {
			if row["tenant"] == tenant {
				out = append(out, map[string]string{"id": row["id"], "text": row["text"]})
			}
		}
		_ = json.NewEncoder(w).Encode(out)
	case !mine:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(n.rows, id)
	case r.Method == http.MethodPut:
		row["text"] = in.Text
	default:
		_ = json.NewEncoder(w).Encode(map[string]string{"id": id, "text": row["text"]})
	}
}

type oddTarget struct {
	target
	verbs []harness.Verb
}

func (o *oddTarget) Surface() harness.Surface {
	text := harness.Body{Kind: "json", Value: map[string]any{"text": "{text}"}}
	all := map[harness.Verb]harness.Operation{
		harness.Create: {Method: "POST", Path: "/notes", Body: text},
		harness.Read:   {Method: "GET", Path: "/notes/{id}"},
		harness.List:   {Method: "GET", Path: "/notes"},
		harness.Update: {Method: "PUT", Path: "/notes/{id}", Body: text},
		harness.Delete: {Method: "DELETE", Path: "/notes/{id}"},
	}
	r := harness.Resource{Name: "notes", ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "text"}}}
	for _, v := range o.verbs {
		op := all[v]
		op.Verb = v
		r.Operations = append(r.Operations, op)
	}
	return harness.Surface{BaseURL: o.url, Resources: []harness.Resource{r}}
}

// overwrite updates the victim's object with values of the attacker's own.
func overwrite() harness.Scenario {
	return harness.Scenario{ID: "idor/update", Claim: "a foreign id is refused", Attack: func(ctx context.Context, w *harness.World) error {
		c, _ := w.Overwrite(harness.Update, w.Theirs())
		w.Attack(ctx, c)
		return nil
	}}
}

func crashes() harness.Scenario {
	s := swap(harness.Delete)
	attack := s.Attack
	s.Attack = func(ctx context.Context, w *harness.World) error {
		_ = attack(ctx, w)
		panic("after the deed")
	}
	return s
}

func twin() harness.Scenario {
	return harness.Scenario{ID: "oracle/read", Claim: "nobody can tell", Twin: true, Attack: func(ctx context.Context, w *harness.World) error {
		return w.Twin(ctx, func(ctx context.Context, side *harness.Side) error {
			c, _ := w.Call(harness.Read, side.Target)
			side.Attack(ctx, c)
			return nil
		})
	}}
}

// TestPremises: what could not be looked at does not hold, and what a clock does is nobody's breach.
func TestPremises(t *testing.T) {
	refuse := func(method string, status int) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == method {
					w.WriteHeader(status)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	began := time.Now()
	clock := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			w.Header().Set("X-Reset", fmt.Sprint(time.Since(began).Milliseconds()))
			w.WriteHeader(answer.Code)
			body := answer.Body.Bytes()
			if row := map[string]any{}; json.Unmarshal(body, &row) == nil && row["text"] != nil {
				row["last_read"] = time.Now().Unix()
				body, _ = json.Marshal(row)
			}
			_, _ = w.Write(body)
		})
	}
	drop := func(next http.Handler) http.Handler {
		seen := sync.Map{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Hostile") != "" {
				panic(http.ErrAbortHandler)
			}
			seen.Store(r.URL.Path, true)
			next.ServeHTTP(w, r)
		})
	}
	hostile := harness.Scenario{ID: "context/hostile", Claim: "headers change nothing", Attack: func(ctx context.Context, w *harness.World) error {
		for range 12 {
			c, _ := w.Call(harness.Read, w.Theirs())
			c.Header = http.Header{"X-Hostile": {"1"}}
			w.Attack(ctx, c)
		}
		return nil
	}}
	crud := []harness.Verb{harness.Create, harness.Read, harness.List, harness.Update, harness.Delete}
	unreadable := []harness.Verb{harness.Create, harness.List, harness.Update, harness.Delete}
	for _, tc := range []struct {
		name     string
		target   *oddTarget
		scenario harness.Scenario
		want     harness.Verdict
		reason   string
	}{
		{"correct", odd(t, false, nil, crud...), overwrite(), harness.Held, ""},
		{"nobody can update", odd(t, true, refuse("PUT", 400), crud...), overwrite(), harness.Inconclusive, "no owner was seen to update"},
		{"nobody can delete", odd(t, true, refuse("DELETE", 404), crud...), swap(harness.Delete), harness.Inconclusive, "no owner was seen to delete"},
		{"list only, correct", odd(t, false, nil, unreadable...), swap(harness.Delete), harness.Held, ""},
		{"list only, broken delete", odd(t, true, nil, unreadable...), swap(harness.Delete), harness.Breached, ""},
		{"list only, broken update", odd(t, true, nil, unreadable...), overwrite(), harness.Breached, ""},
		{"nothing can be read", odd(t, true, nil, harness.Create, harness.Delete), swap(harness.Delete), harness.Inconclusive, ""},
		{"breach before a crash", odd(t, true, nil, crud...), crashes(), harness.Breached, ""},
		{"crash alone", odd(t, false, nil, crud...), crashes(), harness.Inconclusive, "panicked"},
		{"a clock in every answer, twin", odd(t, false, clock, crud...), twin(), harness.Held, ""},
		{"a clock in every answer, state", odd(t, false, clock, crud...), overwrite(), harness.Held, ""},
		{"hostile requests are dropped", odd(t, false, drop, crud...), hostile, harness.Inconclusive, "got no answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			report, err := harness.Run(t.Context(), harness.Config{Target: tc.target, Scenarios: []harness.Scenario{tc.scenario, swap(harness.Read)}})
			if err != nil {
				t.Fatal(err)
			}
			got := report.Results[0]
			if got.Verdict != tc.want || !strings.Contains(got.Reason, tc.reason) {
				t.Errorf("%s (%s), want %s (%s)", got.Verdict, got.Reason, tc.want, tc.reason)
			}
			if after := report.Results[1]; after.Verdict == harness.Breached || strings.Contains(after.Reason, "does not answer") {
				t.Errorf("the next scenario is %s (%s)", after.Verdict, after.Reason)
			}
		})
	}
}
