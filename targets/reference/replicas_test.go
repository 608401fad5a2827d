package reference

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/partywall/partywall/harness"
	service "github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/monitor"
	"github.com/partywall/partywall/scenarios"
)

// TestParseReplicas: how many processes there are stands behind the strategy; a fault may ask for more.
func TestParseReplicas(t *testing.T) {
	for text, want := range map[string]int{
		"reference": 0, "reference:row": 0, "reference:row@1": 1, "reference:schema@2": 2, "reference:row+monitor-in-memory": 2,
		"reference:row@3+monitor-in-memory": 3, "reference:row@1+monitor-in-memory": 2,
	} {
		if o, ok, err := Parse(text); !ok || err != nil || o.Replicas != want {
			t.Errorf("%s asks for %d, %v", text, o.Replicas, err)
		}
	}
	for _, bad := range []string{"reference:row@", "reference:row@0", "reference:row@x", "reference:row@5", "reference:row@-1"} {
		if _, _, err := Parse(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestTurns(t *testing.T) {
	var seen []int
	var turns turns
	for i := range 3 {
		turns.handlers = append(turns.handlers, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen = append(seen, i) }))
	}
	for range 5 {
		turns.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
	if !slices.Equal(seen, []int{0, 1, 2, 0, 1}) {
		t.Errorf("they answer as %v", seen)
	}
}

// TestReplicasNotice: three attempts are noticed wherever they are made, unless each process counts for itself.
func TestReplicasNotice(t *testing.T) {
	for name, want := range map[string]int32{"reference:row@2": 1, "reference:row+monitor-in-memory": 0} {
		t.Run(name, func(t *testing.T) {
			var alerts atomic.Int32
			var all []*service.Parts
			o, _, err := Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			o.Plant = append(o.Plant, func(p *service.Parts) {
				all = append(all, p)
				p.Monitor.Alarms = append(p.Monitor.Alarms, func(context.Context, monitor.Alert) error { alerts.Add(1); return nil })
			})
			target, err := Open(t.Context(), backingtest.Engine(t), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := target.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			settle := func() {
				for _, p := range all {
					if err := p.Monitor.Settle(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			token := func(name string) string {
				made, err := target.Provision(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				bearer, _ := made.Principals[0].Credential.(harness.Bearer)
				return string(bearer)
			}
			acme, globex := token("acme"), token("globex")
			var theirs struct{ ID string }
			if err := target.call(t.Context(), globex, "POST", "/v1/documents", map[string]string{"slug": "x", "title": "x", "body": "x"}, &theirs); err != nil {
				t.Fatal(err)
			}
			settle()
			for range 3 {
				if err := target.call(t.Context(), acme, "GET", "/v1/documents/"+theirs.ID, nil, nil); err == nil {
					t.Fatal("a foreign document is read")
				}
			}
			if settle(); alerts.Load() != want || len(all) != 2 {
				t.Errorf("three attempts at %d processes make %d alerts", len(all), alerts.Load())
			}
		})
	}
}

// TestReplicasHold: what is handed out, spent, suspended or worked off in one process is so in the next.
func TestReplicasHold(t *testing.T) {
	chosen, err := scenarios.Select("jobs/*", "signing/replay", "storage/link-tampering", "lifecycle/suspended-access", "idempotency/shared-key")
	if err != nil {
		t.Fatal(err)
	}
	target, err := Open(t.Context(), backingtest.Engine(t), Options{Replicas: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := target.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: chosen, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s := report.Summary; s.Held == 0 || s.Breached+s.Inconclusive > 0 {
		t.Errorf("%+v", s)
	}
}
