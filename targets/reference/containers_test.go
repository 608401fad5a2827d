//go:build containers

package reference_test

import (
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/reference"
)

// TestHoldsOnRealEngines: every scenario, against the clean service, in every strategy.
func TestHoldsOnRealEngines(t *testing.T) {
	engine := backingtest.Engine(t)
	if engine.Kind() != "containers" {
		t.Fatalf("the tests run on the backing %s: set %s=containers", engine.Kind(), backingtest.EnvKind)
	}
	for _, strategy := range store.Strategies() {
		t.Run(strategy, func(t *testing.T) {
			target, err := reference.Open(t.Context(), engine, reference.Options{Strategy: strategy})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := target.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: scenarios.All(), Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if report.ExitCode(false) != harness.ExitHeld {
				for _, r := range report.Results {
					t.Logf("%s on %s: %s, %s", r.Scenario, r.Resource, r.Verdict, r.Reason)
				}
				t.Errorf("%+v", report.Summary)
			}
		})
	}
}
