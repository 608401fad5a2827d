package specimen_test

import (
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/specimen"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/local"
)

// TestBothWays: on all four services, every scenario holds on the correct version, and three of them are breached on the
// broken one.
func TestBothWays(t *testing.T) {
	for _, s := range specimen.All(false) {
		t.Run(s.Name+"/correct", func(t *testing.T) {
			for _, r := range run(t, s, scenarios.All()).Results {
				if r.Verdict == harness.Breached || r.Verdict == harness.Inconclusive {
					t.Errorf("%s on %s is %s: %s", r.Scenario, r.Resource, r.Verdict, r.Reason)
				}
			}
		})
	}
	chosen, err := scenarios.Select("idor/read", "idor/update", "idor/delete")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range specimen.All(true) {
		t.Run(s.Name+"/broken", func(t *testing.T) {
			breached := map[string]bool{}
			for _, r := range run(t, s, chosen).Results {
				breached[r.Scenario] = breached[r.Scenario] || r.Verdict == harness.Breached
			}
			for _, scenario := range chosen {
				if !breached[scenario.ID] {
					t.Errorf("%s is not breached", scenario.ID)
				}
			}
		})
	}
	for _, s := range specimen.All(false) {
		t.Run(s.Name+"/conclusive", func(t *testing.T) {
			held := map[string]bool{}
			for _, r := range run(t, s, chosen).Results {
				held[r.Scenario] = held[r.Scenario] || r.Verdict == harness.Held
			}
			for _, scenario := range chosen {
				if !held[scenario.ID] {
					t.Errorf("%s holds nowhere", scenario.ID)
				}
			}
		})
	}
}

func run(t *testing.T, s specimen.Specimen, chosen []harness.Scenario) *harness.Report {
	t.Helper()
	target, err := local.Open(local.Config{Name: s.Name, Handler: s.Handler, Surface: s.Surface, Provision: s.Provision})
	if err != nil {
		t.Fatal(err)
	}
	report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: chosen, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return report
}
