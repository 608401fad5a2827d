package reference_test

import (
	"flag"
	"os"
	"testing"

	"github.com/partywall/partywall/harness/matrix"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/reference"
)

var update = flag.Bool("update", false, "write the golden table anew")

// TestMatrix: every fault is caught or contained in each strategy it applies to, and caught in at least one; nothing clean
// is accused; the table is what README shows.
func TestMatrix(t *testing.T) {
	report, err := matrix.Run(t.Context(), matrix.Config{
		Subjects: reference.Subjects(backingtest.Engine(t), store.Strategies()), Scenarios: scenarios.All(), Seed: 1,
		Progress: func(done, total int, c matrix.Cell) {
			t.Logf("%d/%d %s %s: %s by %v, %d ms, %d requests", done, total, c.Strategy, c.Fault, c.Outcome, c.CaughtBy, c.FirstMS, c.Requests)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Errorf("missed %+v, false alarms %+v", report.Missed, report.FalseAlarms)
	}
	catchers := map[string]bool{}
	for _, c := range report.Cells {
		for _, s := range c.CaughtBy {
			catchers[s] = true
		}
	}
	for _, s := range scenarios.All() {
		if !catchers[s.ID] {
			t.Errorf("%s catches no fault", s.ID)
		}
	}
	const golden = "testdata/matrix.md"
	if *update {
		if err := os.WriteFile(golden, []byte(report.Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Markdown(); got != string(want) {
		t.Errorf("the table changed; look why, then run with -update:\n%s", got)
	}
}
