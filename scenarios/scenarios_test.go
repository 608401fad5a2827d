package scenarios_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/local"
)

// ledger is a service with notes under tenants. Its token is a JWT that names a user only; the tenant is looked up.
type ledger struct {
	mu    sync.Mutex
	next  int
	users map[string]string            // subject to tenant
	rows  map[string]map[string]string // id to tenant and text

	unverified bool // the signature is not looked at
	honours    bool // ?tenant_id= decides, and unknown parameters are refused
	keeps      bool // a deleted tenant's notes stay, and its successor gets its id
}

const signature = "c2lnbmVkLWJ5LXVz"

func part(v any) string {
	text, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(text)
}

func (l *ledger) user(r *http.Request) (tenant string, ok bool) {
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		return "", false
	}
	var claims struct{ Sub string }
	data, _ := base64.RawURLEncoding.DecodeString(parts[1])
	if json.Unmarshal(data, &claims) != nil || !l.unverified && parts[2] != signature+"-"+claims.Sub {
		return "", false
	}
	tenant, ok = l.users[claims.Sub]
	return tenant, ok
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tenant, ok := l.user(r)
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // orgs, tenant, notes, id
	if len(segments) < 3 || segments[1] != tenant {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	for name, values := range r.URL.Query() {
		if !l.honours || name != "tenant_id" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		tenant = values[0]
	}
	var in struct{ Text string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	switch {
	case r.Method == http.MethodPost:
		l.next++
		id := fmt.Sprintf("note-number-%08d", l.next)
		l.rows[id] = map[string]string{"id": id, "tenant": tenant, "text": in.Text}
		_ = json.NewEncoder(w).Encode(l.rows[id])
	case len(segments) == 3:
		out := []map[string]string{}
		for _, row := range l.rows {
			if row["tenant"] == tenant {
				out = append(out, row)
			}
		}
		_ = json.NewEncoder(w).Encode(out)
	case l.rows[segments[3]] == nil || l.rows[segments[3]]["tenant"] != tenant:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(l.rows, segments[3])
	default:
		_ = json.NewEncoder(w).Encode(l.rows[segments[3]])
	}
}

func (l *ledger) open(t *testing.T) harness.Target {
	t.Helper()
	l.users, l.rows = map[string]string{}, map[string]map[string]string{}
	n, last := 0, ""
	target, err := local.Open(local.Config{
		Name: "ledger", Handler: l,
		Surface: harness.Surface{Resources: []harness.Resource{{
			Name: "notes", ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "text"}},
			Operations: []harness.Operation{
				{Verb: harness.Create, Method: "POST", Path: "/orgs/{tenant.id}/notes", Body: harness.Body{Kind: "json", Value: map[string]any{"text": "{text}"}}},
				{Verb: harness.Read, Method: "GET", Path: "/orgs/{tenant.id}/notes/{id}"},
				{Verb: harness.List, Method: "GET", Path: "/orgs/{tenant.id}/notes"},
				{Verb: harness.Delete, Method: "DELETE", Path: "/orgs/{tenant.id}/notes/{id}"},
			},
		}}},
		Provision: func(_ context.Context, _ *http.Client, _, name string) (harness.Tenant, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			n++
			id, sub := fmt.Sprintf("tenant-%d", n), fmt.Sprintf("user-%d", n)
			if l.keeps && last != "" {
				id, last = last, ""
			}
			l.users[sub] = id
			token := part(map[string]string{"alg": "HS256"}) + "." + part(map[string]string{"sub": sub}) + "." + signature + "-" + sub
			return harness.Tenant{ID: id, Name: name, Principals: []harness.Principal{{Name: "alice", Credential: harness.Bearer(token)}}}, nil
		},
		Delete: func(_ context.Context, _ *http.Client, _ string, tenant harness.Tenant) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			last = tenant.ID
			for sub, id := range l.users {
				if id == tenant.ID {
					delete(l.users, sub)
				}
			}
			for id, row := range l.rows {
				if row["tenant"] == tenant.ID && !l.keeps {
					delete(l.rows, id)
				}
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Close(context.WithoutCancel(t.Context())) })
	return target
}

// TestBothWays: services that hide their flaw from a naive attack are breached, and the one without it holds.
func TestBothWays(t *testing.T) {
	for name, tc := range map[string]struct {
		scenario string
		flawed   *ledger
	}{
		"the tenant follows from the subject of an unverified token": {"token/alg-none", &ledger{unverified: true}},
		"and its claims are swapped":                                 {"token/claim-swap", &ledger{unverified: true}},
		"unknown parameters are refused, one is honoured":            {"context/query-override", &ledger{honours: true}},
		"the path names the tenant, and a successor inherits":        {"lifecycle/read-after-delete", &ledger{keeps: true}},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, err := scenarios.Select(tc.scenario)
			if err != nil {
				t.Fatal(err)
			}
			for want, service := range map[harness.Verdict]*ledger{harness.Held: {}, harness.Breached: tc.flawed} {
				report, err := harness.Run(t.Context(), harness.Config{Target: service.open(t), Scenarios: chosen, Seed: 1, Lanes: 1})
				if err != nil {
					t.Fatal(err)
				}
				if got := report.Results[0]; got.Verdict != want {
					t.Errorf("%s is %s (%s), want %s", tc.scenario, got.Verdict, got.Reason, want)
				}
			}
		})
	}
}
