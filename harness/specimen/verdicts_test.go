package specimen_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/local"
)

// shelf is a service with projects and an audit trail that isolates its tenants, unless its quirk is a flaw.
type shelf struct {
	quirk string

	mu     sync.Mutex
	count  int
	rows   map[string]*book // by id, or by tenant and name where clients choose it
	order  []string
	trails map[string][]string
}

type book struct {
	tenant, text string
	made         time.Time
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	tenant := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch s.quirk {
	case "seven servers":
		w.Header().Set("X-Served-By", fmt.Sprint("web-", s.count%7))
	case "echoes credentials":
		w.Header().Set("X-Debug", base64.StdEncoding.EncodeToString([]byte("x"+r.Header.Get("Authorization"))))
		w.Header().Set("X-Refresh-Token", "rt-secret-of-"+tenant)
		w.Header().Set("Link", "<"+r.URL.String()+">; rel=self")
	case "guard answers 503":
		if r.Header.Get("X-Tenant-ID") != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
	if tenant == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/audit" {
		_ = json.NewEncoder(w).Encode(s.trails[tenant])
		return
	}
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/projects"), "/")
	key := id
	if s.chosen() {
		key = tenant + " " + id
	}
	row := s.rows[key]
	var in struct {
		Text   string
		Tenant string `json:"tenant_id"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	switch {
	case r.Method == http.MethodPost && id != "" && !s.chosen():
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Method == http.MethodPost, r.Method == http.MethodPut && s.chosen():
		if id == "" {
			id = uuid.NewString()
		}
		s.put(tenant, id, in.Text, in.Tenant)
		_ = json.NewEncoder(w).Encode(map[string]string{"id": id, "api_key": "issued-secret-" + id})
	case id == "":
		s.list(w, tenant)
	case row == nil || row.tenant != tenant:
		s.trails[tenant] = append(s.trails[tenant], "denied: project "+id)
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(s.rows, key)
	case r.Method == http.MethodPut:
		row.text = in.Text
	default:
		_ = json.NewEncoder(w).Encode(s.show(id, row))
	}
}

func (s *shelf) chosen() bool { return strings.HasPrefix(s.quirk, "plants by name") }

// put keeps a row: for who sends it, unless the service lets the body say whose it is.
func (s *shelf) put(tenant, id, text, named string) {
	if strings.HasPrefix(s.quirk, "plants") && named != "" {
		tenant = strings.Replace(named, "id-", "tok-", 1)
	}
	key := id
	if s.chosen() {
		key = tenant + " " + id
	}
	if s.rows[key] == nil {
		s.order = append(s.order, key)
	}
	s.rows[key] = &book{tenant, text, time.Now()}
	s.trails[tenant] = append(s.trails[tenant], "made project "+id)
}

func (s *shelf) list(w http.ResponseWriter, tenant string) {
	out := []map[string]string{}
	for _, key := range s.order {
		if row := s.rows[key]; row != nil && row.tenant == tenant {
			out = append(out, s.show(key, row))
		}
	}
	if s.quirk == "plants, long list" {
		out = out[:min(2, len(out))]
	}
	if s.quirk == "plants, broken list" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *shelf) show(id string, row *book) map[string]string {
	shown := map[string]string{"id": id, "text": row.text}
	if s.quirk == "works later" {
		shown["status"] = "processing"
		if time.Since(row.made) > 20*time.Millisecond {
			shown["status"] = "ready"
		}
	}
	return shown
}

func (s *shelf) surface() harness.Surface {
	text := harness.Body{Kind: "json", Value: map[string]any{"text": "{text}"}}
	projects := harness.Resource{
		Name: "projects", ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "text"}},
		Operations: []harness.Operation{
			{Verb: harness.Create, Method: "POST", Path: "/projects", Body: text, Secrets: []harness.Locator{{Pointer: "/api_key"}}},
			{Verb: harness.Read, Method: "GET", Path: "/projects/{id}"},
			{Verb: harness.Update, Method: "PUT", Path: "/projects/{id}", Body: text},
			{Verb: harness.Delete, Method: "DELETE", Path: "/projects/{id}"},
			{Verb: harness.List, Method: "GET", Path: "/projects"},
		},
	}
	if s.chosen() {
		projects.Chosen, projects.ID = "n-{unique}", harness.Locator{}
		projects.Operations[0].Method, projects.Operations[0].Path = "PUT", "/projects/{id}"
		projects.Operations = projects.Operations[:4]
	}
	audit := harness.Resource{Name: "audit", Operations: []harness.Operation{{Verb: harness.List, Method: "GET", Path: "/audit"}}}
	return harness.Surface{Resources: []harness.Resource{projects, audit}}
}

// keyed sends its credential in a header and in the query.
type keyed string

func (k keyed) Apply(ctx context.Context, r *http.Request) error {
	query := r.URL.Query()
	query.Set("api_key", "query-secret-of-"+string(k))
	r.URL.RawQuery = query.Encode()
	return harness.Bearer(k).Apply(ctx, r)
}

// attack runs scenarios on a shelf with a quirk; the evidence is what would be kept.
func attack(t *testing.T, quirk string, patterns ...string) (report *harness.Report, evidence string) {
	t.Helper()
	s := &shelf{quirk: quirk, rows: map[string]*book{}, trails: map[string][]string{}}
	target, err := local.Open(local.Config{
		Name: quirk, Handler: s, Surface: s.surface(),
		Provision: func(_ context.Context, _ *http.Client, _, name string) (harness.Tenant, error) {
			id := uuid.NewString()
			var credential harness.Credential = harness.Bearer("tok-" + id)
			if quirk == "echoes credentials" {
				credential = keyed("tok-" + id)
			}
			return harness.Tenant{ID: "id-" + id, Name: name, Principals: []harness.Principal{{Name: "alice", Credential: credential}}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := target.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	chosen, err := scenarios.Select(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	var kept strings.Builder
	report, err = harness.Run(t.Context(), harness.Config{
		Target: target, Scenarios: chosen, Seed: 3, Lanes: 1,
		Keep: func(h *harness.History, _ harness.Verdict) error { return json.NewEncoder(&kept).Encode(h) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return report, kept.String()
}

// TestInnocent: what a service that isolates may do without being accused.
func TestInnocent(t *testing.T) {
	for quirk, patterns := range map[string][]string{"none": nil, "works later": {"context/body-tenant", "idor/*"}, "seven servers": nil} {
		t.Run(quirk, func(t *testing.T) {
			report, _ := attack(t, quirk, patterns...)
			held := 0
			for _, r := range report.Results {
				if r.Verdict == harness.Breached {
					t.Errorf("%s on %s is breached: %s", r.Scenario, r.Resource, r.Reason)
				}
				if r.Verdict == harness.Held {
					held++
				}
			}
			if held < 5 {
				t.Errorf("%d hold", held)
			}
		})
	}
}

// TestPlanted: an object that a body plants in another tenant is found, or it is said that it could not be looked for: whatever
// the victim's list shows, and also where there is none.
func TestPlanted(t *testing.T) {
	for quirk, want := range map[string]harness.Verdict{
		"plants": harness.Breached, "plants, long list": harness.Breached, "plants, broken list": harness.Breached, "plants by name": harness.Breached,
	} {
		t.Run(quirk, func(t *testing.T) {
			report, _ := attack(t, quirk, "context/body-tenant")
			i := slices.IndexFunc(report.Results, func(r harness.Result) bool { return r.Resource == "projects" })
			got := report.Results[i]
			if got.Verdict != want {
				t.Fatalf("it is %s: %s", got.Verdict, got.Reason)
			}
			if first := got.Findings[0].Curl[0]; !strings.Contains(first, `"tenant_id":"id-`) {
				t.Errorf("the story begins with %s", first)
			}
		})
	}
}

// TestGuardIsBusy: where hostile requests are answered by somebody who says that nobody is there, the wall was not seen.
func TestGuardIsBusy(t *testing.T) {
	report, _ := attack(t, "guard answers 503", "context/header-spoof")
	for _, r := range report.Results {
		if r.Verdict == harness.Held || r.Verdict == harness.Breached {
			t.Errorf("%s on %s is %s", r.Scenario, r.Resource, r.Verdict)
		}
	}
}

// TestNothingSecretIsKept: credentials that a service echoes or hands out stand in no evidence.
func TestNothingSecretIsKept(t *testing.T) {
	_, evidence := attack(t, "echoes credentials", "idor/read")
	for _, secret := range []string{"issued-secret", "rt-secret", "query-secret", "tok-"} {
		if strings.Contains(evidence, secret) {
			at := strings.Index(evidence, secret)
			t.Errorf("%s is in the evidence: %s", secret, evidence[max(0, at-100):at+60])
		}
	}
	for _, word := range strings.FieldsFunc(evidence, func(r rune) bool { return r == '"' || r == ' ' }) {
		if text, err := base64.StdEncoding.DecodeString(word); err == nil && strings.Contains(string(text), "tok-") {
			t.Fatalf("%s is in the evidence, as %s", text, word)
		}
	}
}
