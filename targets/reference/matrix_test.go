package reference_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness/matrix"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/reference"
)

var (
	update = flag.Bool("update", false, "write the golden table anew, in all strategies")
	// The race detector makes a cell some six times slower: under it one strategy has to do, and make matrix runs all.
	strategies = flag.String("strategies", "row", "strategies of the matrix, or all")
)

// TestMatrix: every fault is caught or contained in each strategy it applies to, and caught in at least one; nothing clean
// is accused; the table is what README shows.
func TestMatrix(t *testing.T) {
	chosen := store.Strategies()
	if *strategies != "all" && !*update {
		chosen = strings.Split(*strategies, ",")
	}
	subjects := reference.Subjects(backingtest.Engine(t), chosen, false)
	report, err := matrix.Run(t.Context(), matrix.Config{
		Subjects: subjects, Scenarios: scenarios.All(), Seed: 1,
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
		// Some faults exist in some strategies only, and with them what there is to catch.
		awaited := slices.ContainsFunc(subjects, func(subject matrix.Subject) bool { return slices.Contains(subject.Expected, s.ID) })
		if !catchers[s.ID] && (awaited || len(chosen) == len(store.Strategies())) {
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
	got := report.Markdown()
	if len(chosen) < len(store.Strategies()) {
		got, want = columns(got, chosen), []byte(columns(string(want), chosen))
	}
	if got != string(want) {
		t.Errorf("the table changed; look why, then run with -update:\n%s", got)
	}
}

// columns keeps the columns of some strategies of a table, and the rows in which one of them applies.
func columns(table string, strategies []string) string {
	var out strings.Builder
	var kept []int
	for line := range strings.Lines(table) {
		if kept != nil && !strings.HasPrefix(line, "|") {
			break // what follows the table counts all strategies
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if kept == nil {
			for i, cell := range cells {
				if i == 0 || slices.Contains(strategies, strings.TrimSpace(cell)) {
					kept = append(kept, i)
				}
			}
		}
		if !slices.ContainsFunc(kept, func(i int) bool { return i > 0 && strings.TrimSpace(cells[i]) != "n/a" }) {
			continue
		}
		for _, i := range kept {
			out.WriteString(cells[i] + "|")
		}
		out.WriteString("\n")
	}
	return out.String()
}
