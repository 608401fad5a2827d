package reference_test

import (
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/reference"
)

// TestCleanServiceHolds: every scenario holds on the service that does everything right, on each strategy.
func TestCleanServiceHolds(t *testing.T) {
	for _, strategy := range store.Strategies() {
		t.Run(strategy, func(t *testing.T) {
			target, err := reference.Open(t.Context(), backingtest.Engine(t), reference.Options{Strategy: strategy})
			if err != nil {
				t.Fatal(err)
			}
			report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: scenarios.All(), Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d requests in %d ms: %+v", report.Requests, report.DurationMS, report.Summary)
			for _, r := range report.Results {
				if r.Verdict == harness.Breached || r.Verdict == harness.Inconclusive {
					t.Errorf("%s on %s is %s: %s %+v", r.Scenario, r.Resource, r.Verdict, r.Reason, r.Findings)
				}
			}
			if code := report.ExitCode(false); code != harness.ExitHeld {
				t.Errorf("exit code %d", code)
			}
			if err := target.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
