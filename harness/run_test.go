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

	"github.com/partywall/partywall/harness"
)

// notes is a service with one resource. Its token is its tenant: enough to prove the engine, both ways.
type notes struct {
	mu     sync.Mutex
	broken bool
	next   int
	rows   map[string][2]string // id to tenant and text
}

func (n *notes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	tenant := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	id := strings.TrimPrefix(r.URL.Path, "/notes/")
	row, ok := n.rows[id]
	switch {
	case tenant == "":
		w.WriteHeader(401)
	case r.Method == "POST":
		var in struct{ Text string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		n.next++
		id = fmt.Sprint(n.next)
		n.rows[id] = [2]string{tenant, in.Text}
		_, _ = fmt.Fprintf(w, `{"id":%q}`, id)
	case !ok || row[0] != tenant && !n.broken:
		w.WriteHeader(404)
	case r.Method == "DELETE":
		delete(n.rows, id)
		w.WriteHeader(204)
	default:
		_, _ = fmt.Fprintf(w, `{"id":%q,"text":%q}`, id, row[1])
	}
}

type target struct {
	url  string
	mu   sync.Mutex
	made int
}

func (t *target) Name() string { return "notes" }
func (t *target) Surface() harness.Surface {
	return harness.Surface{BaseURL: t.url, Resources: []harness.Resource{{
		Name: "notes", ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "text"}},
		Operations: []harness.Operation{
			{Verb: harness.Create, Method: "POST", Path: "/notes", Body: harness.Body{Kind: "json", Value: map[string]any{"text": "{text}"}}},
			{Verb: harness.Read, Method: "GET", Path: "/notes/{id}"},
			{Verb: harness.Delete, Method: "DELETE", Path: "/notes/{id}"},
		},
	}}}
}

func (t *target) Provision(_ context.Context, name string) (harness.Tenant, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made++
	token := fmt.Sprintf("secret-token-%d", t.made)
	return harness.Tenant{ID: token, Name: name, Principals: []harness.Principal{{Name: "alice", Credential: harness.Bearer(token)}}}, nil
}

func (t *target) Send(_ context.Context, _ harness.Actor, r *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(r)
}
func (t *target) Close(context.Context) error { return nil }

func swap(verb harness.Verb) harness.Scenario {
	return harness.Scenario{ID: "idor/" + string(verb), Claim: "a foreign id is refused", Attack: func(ctx context.Context, w *harness.World) error {
		c, _ := w.Call(verb, w.Theirs())
		w.Attack(ctx, c)
		return nil
	}}
}

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.Handler
		want    int
	}{
		"correct":    {&notes{rows: map[string][2]string{}}, harness.ExitHeld},
		"broken":     {&notes{rows: map[string][2]string{}, broken: true}, harness.ExitBreached},
		"always 404": {http.NotFoundHandler(), harness.ExitInconclusive},
		"empty object": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{}`))
		}), harness.ExitInconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.handler)
			defer server.Close()
			for _, verb := range []harness.Verb{harness.Read, harness.Delete} {
				report, err := harness.Run(t.Context(), harness.Config{
					Target: &target{url: server.URL}, Scenarios: []harness.Scenario{swap(verb)},
					Keep: func(h *harness.History, _ harness.Verdict) error {
						stored, err := json.Marshal(h)
						if strings.Contains(string(stored), "secret-token") {
							t.Error("a token reached the evidence")
						}
						return err
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := report.ExitCode(false); got != tc.want {
					t.Errorf("%s: exit %d, want %d: %+v", verb, got, tc.want, report.Results)
				}
			}
		})
	}
}
