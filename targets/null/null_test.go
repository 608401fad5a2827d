package null_test

import (
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/specimen"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/null"
	"github.com/partywall/partywall/targets/reference"
)

// TestNobodyIsAccusedOrAcquitted: on hosts that tell no tenants apart, no scenario holds and none is breached, under
// every surface that the project knows.
func TestNobodyIsAccusedOrAcquitted(t *testing.T) {
	surfaces := map[string]harness.Surface{"reference": reference.Surface("")}
	for _, s := range specimen.All(false) {
		surfaces[s.Name] = s.Surface
	}
	for _, host := range null.Hosts() {
		for name, surface := range surfaces {
			if host.Name == "slow-loris" && name != "reference" {
				continue // it costs the patience of one surface
			}
			t.Run(host.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				target, err := null.Open(t.Context(), host, surface)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := target.Close(t.Context()); err != nil {
						t.Error(err)
					}
				}()
				report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: scenarios.All(), Timeout: 300 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				if s := report.Summary; s.Held != 0 || s.Breached != 0 || s.Inconclusive == 0 || report.ExitCode(false) != harness.ExitInconclusive {
					t.Errorf("%+v, exit code %d", s, report.ExitCode(false))
				}
				// Waiting, unlike a busy machine, is what a run can bound.
				waits := strings.HasPrefix(host.Name, "always 429") || host.Name == "slow-loris"
				if took := time.Duration(report.DurationMS) * time.Millisecond; waits && took > 45*time.Second {
					t.Errorf("it took %s", took)
				}
				for _, r := range report.Results {
					if r.Verdict == harness.Held || r.Verdict == harness.Breached {
						t.Errorf("%s on %s is %s: %s %+v", r.Scenario, r.Resource, r.Verdict, r.Reason, r.Findings)
					}
				}
			})
		}
	}
}
