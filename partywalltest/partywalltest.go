// Package partywalltest runs Partywall under go test: every scenario is a subtest, every resource a subtest of it.
//
// [Handler] serves an http.Handler on loopback and attacks it; [Run] attacks any target. A breach fails its subtest with
// the finding and a curl line; so does a verdict that is inconclusive, because a wall that could not be looked at has not
// held. What does not apply is skipped with its reason. Under another runner than that of package testing, [HandlerT] and
// [RunT] do the same with whatever is a [T].
//
// The seed is drawn and logged; PARTYWALL_SEED repeats a run. Below the folder that PARTYWALL_OUT names, the full report of
// each attack is written to a folder of its own, named after its test.
package partywalltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reports"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/local"
)

// The environment that Run reads.
const (
	EnvSeed = "PARTYWALL_SEED"
	EnvOut  = "PARTYWALL_OUT"
)

// Config describes a handler. Surface and Provision are required.
type Config struct {
	// Surface says what the handler offers; its BaseURL is filled in.
	Surface harness.Surface
	// Provision makes a tenant and signs its people in, with requests to the URL or by calling into the service.
	Provision func(ctx context.Context, client *http.Client, url, name string) (harness.Tenant, error)
	// Delete ends a tenant. Optional: without it, scenarios that end tenants are skipped.
	Delete func(ctx context.Context, client *http.Client, url string, t harness.Tenant) error
	// Scenarios to run, as patterns such as "idor/*". None means all.
	Scenarios []string
}

// Handler serves the handler on loopback and attacks it.
func Handler(t *testing.T, h http.Handler, cfg Config) {
	t.Helper()
	HandlerT(std{t}, h, cfg)
}

// HandlerT is Handler for any T.
func HandlerT(t T, h http.Handler, cfg Config) {
	t.Helper()
	target, err := local.Open(local.Config{
		Name: t.Name(), Handler: h, Surface: cfg.Surface, Provision: cfg.Provision, Delete: cfg.Delete,
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer func() {
		if err := target.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("%v", err)
		}
	}()
	RunT(t, target, cfg.Scenarios...)
}

// Run attacks a target with the scenarios that match one of the patterns, or with all. The caller closes the target.
func Run(t *testing.T, target harness.Target, patterns ...string) {
	t.Helper()
	RunT(std{t}, target, patterns...)
}

// RunT is Run for any T.
func RunT(t T, target harness.Target, patterns ...string) {
	t.Helper()
	chosen, err := scenarios.Select(patterns...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	report := attack(t, target, chosen)
	for _, s := range chosen {
		t.Run(s.ID, func(t T) {
			for _, r := range report.Results {
				if r.Scenario == s.ID {
					t.Run(r.Resource, func(t T) { judge(t, r) })
				}
			}
		})
	}
	if report.Summary.Held+report.Summary.Breached == 0 {
		t.Errorf("nothing was shown to hold: every result is skipped or inconclusive")
	}
}

func attack(t T, target harness.Target, chosen []harness.Scenario) *harness.Report {
	t.Helper()
	cfg := harness.Config{Target: target, Scenarios: chosen, Seed: rand.Int64N(1_000_000) + 1}
	if text := os.Getenv(EnvSeed); text != "" {
		seed, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatalf("%s is %q; it must be a number", EnvSeed, text)
		}
		cfg.Seed = seed
	}
	var folder *reports.Folder
	if path := os.Getenv(EnvOut); path != "" {
		var err error
		if folder, err = create(path, t.Name(), reports.Header{Target: target.Name(), Seed: cfg.Seed}); err != nil {
			t.Fatalf("%v", err)
		}
		cfg.Keep = folder.Keep
	}
	report, err := harness.Run(t.Context(), cfg)
	if err != nil {
		if folder != nil {
			_ = folder.Abort() // the first error is the one to tell
		}
		t.Fatalf("%v", err)
	}
	report.Repeat = EnvSeed + "=" + strconv.FormatInt(cfg.Seed, 10) + " go test -run '^" + t.Name() + "$'"
	if folder != nil {
		if _, err := folder.Finish(report); err != nil {
			t.Fatalf("%v", err)
		}
		t.Logf("the report is in %s", folder.Path)
	}
	t.Logf("%d requests with the seed %d: %d held, %d breached, %d inconclusive, %d skipped; repeat with %s",
		report.Requests, cfg.Seed, report.Summary.Held, report.Summary.Breached, report.Summary.Inconclusive, report.Summary.Skipped, report.Repeat)
	for _, l := range report.Left {
		t.Logf("left behind at the tenant %s: %s %s (%s)", l.Tenant, l.Resource, l.ID, l.Reason)
	}
	return report
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// create makes the folder of an attack: another one of the same test, or of the same name in another package, gets a number.
func create(path, test string, h reports.Header) (*reports.Folder, error) {
	name := filepath.Join(path, unfit.ReplaceAllString(test, "_"))
	folder, err := reports.Create(name, h)
	for n := 2; errors.Is(err, reports.ErrExists); n++ {
		folder, err = reports.Create(fmt.Sprintf("%s-%d", name, n), h)
	}
	return folder, err
}

func judge(t T, r harness.Result) {
	t.Helper()
	switch r.Verdict {
	case harness.Held:
	case harness.Skipped:
		t.Skipf("%s", r.Reason)
	case harness.Breached:
		told := map[string]bool{} // the same mistake shows on every pair of tenants
		for _, f := range r.Findings {
			if told[f.Fingerprint] {
				continue
			}
			told[f.Fingerprint] = true
			t.Errorf("breached: %s\n  claim:    %s\n  between:  %s attacks %s\n  evidence: %s\n  try:      %s\n  fix:      %s",
				f.Summary, r.Claim, f.Attacker, f.Victim, strings.Join(f.Evidence, ", "), strings.Join(f.Curl[:min(1, len(f.Curl))], ""), r.Fix)
		}
	default:
		t.Errorf("inconclusive: %s", r.Reason)
	}
}
