package harness_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/harness"
)

// toll lets three requests of each tenant on the tier pass, or of all of them together.
type toll struct {
	mu     sync.Mutex
	shared bool
	seen   map[string]int
}

func (l *toll) twist(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if who := r.Header.Get("Authorization"); strings.Contains(who, "small") {
			if l.shared {
				who = "everybody"
			}
			if l.seen[who]++; l.seen[who] > 3 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// tiered gives tenants on a tier, and has a clock to move.
type tiered struct {
	*oddTarget
	ended []string
	moved time.Duration
}

func (t *tiered) Surface() harness.Surface {
	s := t.oddTarget.Surface()
	s.Tiers = []harness.Tier{{Name: "small", Burst: 3, PerMinute: 3}}
	return s
}

func (t *tiered) ProvisionOn(ctx context.Context, tier, name string) (harness.Tenant, error) {
	made, err := t.Provision(ctx, name)
	made.ID = tier + "-" + made.ID
	made.Principals[0].Credential = harness.Bearer(made.ID)
	return made, err
}

func (t *tiered) Delete(_ context.Context, tenant harness.Tenant) error {
	t.ended = append(t.ended, tenant.ID)
	return nil
}

func (t *tiered) Advance(_ context.Context, d time.Duration) error {
	t.moved += d
	return nil
}

// neighbour floods as one tenant and finds whether another is refused.
func neighbour() harness.Scenario {
	return harness.Scenario{
		ID: "limits/test", Claim: "each has its own", Limits: true, Once: true, Needs: harness.Needs{Rates: true, Clock: true},
		Attack: func(ctx context.Context, w *harness.World) error {
			tier, _ := w.LimitedTier()
			for _, label := range []string{"loud", "quiet"} {
				as, err := w.Enrol(ctx, label, tier)
				if err != nil {
					return err
				}
				for range map[string]int{"loud": 5, "quiet": 1}[label] {
					c, _ := w.CallFor(as, harness.List, nil)
					w.AttackAs(ctx, as, c)
				}
				if err := w.Advance(ctx, time.Hour); err != nil {
					return err
				}
			}
			return nil
		},
		Judge: func(h *harness.History) (found []harness.Finding, err error) {
			for _, e := range h.Exchanges {
				if e.Tenant == "quiet" && e.Refused() {
					found = append(found, harness.Finding{Summary: "refused", Evidence: []string{e.ID}})
				}
			}
			return found, nil
		},
	}
}

// TestLimits: what a limiter answers to an attack about limits is an answer, sent once, on a tenant that is there for the cell alone.
func TestLimits(t *testing.T) {
	verbs := []harness.Verb{harness.Create, harness.Read, harness.List, harness.Delete}
	for want, shared := range map[harness.Verdict]bool{harness.Held: false, harness.Breached: true} {
		l := &toll{shared: shared, seen: map[string]int{}}
		target := &tiered{oddTarget: odd(t, false, l.twist, verbs...)}
		statuses, hours := map[int]int{}, time.Duration(0)
		report, err := harness.Run(t.Context(), harness.Config{
			Target: target, Scenarios: []harness.Scenario{neighbour(), swap(harness.Read)},
			Keep: func(h *harness.History, _ harness.Verdict) error {
				for _, e := range h.Exchanges {
					if e.Purpose == harness.Attack && h.Limits {
						statuses[e.Response.Status]++
						hours = max(hours, e.Ahead)
					}
				}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Results[0]; got.Verdict != want || got.Cells != 1 {
			t.Errorf("%s (%s) in %d cells, want %s", got.Verdict, got.Reason, got.Cells, want)
		}
		if got := report.Results[1]; got.Verdict != harness.Held {
			t.Errorf("beside it: %s (%s)", got.Verdict, got.Reason)
		}
		if statuses[200]+statuses[429] != 6 || hours != time.Hour || target.moved != 2*time.Hour {
			t.Errorf("answers %v, the clock %s ahead, then %s", statuses, hours, target.moved)
		}
		if ended := strings.Join(target.ended, " "); strings.Count(ended, "small") != 2 {
			t.Errorf("ended are %s", ended)
		}
	}
	plain := odd(t, false, nil, verbs...)
	report, err := harness.Run(t.Context(), harness.Config{Target: plain, Scenarios: []harness.Scenario{neighbour()}})
	if err != nil || report.Results[0].Verdict != harness.Skipped || !strings.Contains(report.Results[0].Reason, "no tenant can be had on a tier") {
		t.Errorf("without tiers: %+v, %v", report, err)
	}
}
