package matrix_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/matrix"
	"github.com/partywall/partywall/harness/specimen"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/local"
)

// serve opens a specimen; handler, where it is given, answers in its stead.
func serve(s specimen.Specimen, handler http.Handler) matrix.Open {
	if handler == nil {
		handler = s.Handler
	}
	return func(context.Context) (harness.Target, error) {
		return local.Open(local.Config{Name: s.Name, Handler: handler, Surface: s.Surface, Provision: s.Provision})
	}
}

var (
	sound  = serve(specimen.Envelope(false), nil)
	broken = serve(specimen.Envelope(true), nil)
	gone   = serve(specimen.Envelope(false), http.NotFoundHandler())
)

func pick(t *testing.T, patterns ...string) []harness.Scenario {
	t.Helper()
	chosen, err := scenarios.Select(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return chosen
}

// TestOutcomes: a fault is caught, contained or missed, and only what is clean may be accused falsely.
func TestOutcomes(t *testing.T) {
	wall := []matrix.Wall{{Name: "a useless wall", Without: sound}, {Name: "the wall", Without: broken}}
	fault := func(strategy string, open matrix.Open, walls ...matrix.Wall) matrix.Subject {
		return matrix.Subject{Fault: "forgets", Strategy: strategy, Strategies: []string{"one", "two"}, Open: open, Walls: walls, Expected: []string{"idor/read"}}
	}
	clean := func(open matrix.Open) matrix.Subject { return matrix.Subject{Strategy: "one", Open: open} }
	for name, tc := range map[string]struct {
		subjects []matrix.Subject
		outcomes []matrix.Outcome
		missed   []string // strategies
		alarms   []harness.Verdict
		caught   int
	}{
		"caught":                   {[]matrix.Subject{fault("one", broken)}, []matrix.Outcome{matrix.Caught}, nil, nil, 1},
		"missed":                   {[]matrix.Subject{fault("one", sound)}, []matrix.Outcome{matrix.Missed}, []string{"one"}, nil, 0},
		"missed behind a wall":     {[]matrix.Subject{fault("one", sound, wall[0])}, []matrix.Outcome{matrix.Missed}, []string{"one"}, nil, 0},
		"contained here":           {[]matrix.Subject{fault("two", sound, wall...)}, []matrix.Outcome{matrix.Contained}, nil, nil, 0},
		"contained everywhere":     {[]matrix.Subject{fault("one", sound, wall...), fault("two", sound, wall...)}, []matrix.Outcome{matrix.Contained, matrix.Contained}, []string{"any"}, nil, 0},
		"caught and contained":     {[]matrix.Subject{fault("one", broken), fault("two", sound, wall...)}, []matrix.Outcome{matrix.Caught, matrix.Contained}, nil, nil, 1},
		"clean":                    {[]matrix.Subject{clean(sound)}, []matrix.Outcome{matrix.Clean}, nil, nil, 0},
		"clean, and accused":       {[]matrix.Subject{clean(broken)}, []matrix.Outcome{matrix.FalseAlarm}, nil, []harness.Verdict{harness.Breached}, 0},
		"clean, and not seen":      {[]matrix.Subject{clean(gone)}, []matrix.Outcome{matrix.FalseAlarm}, nil, []harness.Verdict{harness.Inconclusive}, 0},
		"a fault that is not seen": {[]matrix.Subject{fault("one", gone)}, []matrix.Outcome{matrix.Missed}, []string{"one"}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := matrix.Run(t.Context(), matrix.Config{Subjects: tc.subjects, Scenarios: pick(t, "idor/read"), Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			var outcomes []matrix.Outcome
			for _, c := range report.Cells {
				outcomes = append(outcomes, c.Outcome)
			}
			var missed []string
			for _, m := range report.Missed {
				missed = append(missed, m.Strategy)
			}
			var alarms []harness.Verdict
			for _, a := range report.FalseAlarms {
				alarms = append(alarms, a.Verdict)
			}
			if !slices.Equal(outcomes, tc.outcomes) || !slices.Equal(missed, tc.missed) || !slices.Equal(alarms, tc.alarms) || report.Caught != tc.caught {
				t.Errorf("%+v", report)
			}
			if report.OK() != (len(tc.missed)+len(tc.alarms) == 0) {
				t.Errorf("OK is %v with %d missed and %d false alarms", report.OK(), len(tc.missed), len(tc.alarms))
			}
			for _, c := range report.Contained {
				if c.By != "the wall" || !slices.Equal(c.ProvenWithout, []string{"idor/read"}) {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// TestSkippedEverywhere: a scenario that applies to nothing of a clean subject has shown nothing, and that is said.
func TestSkippedEverywhere(t *testing.T) {
	report, err := matrix.Run(t.Context(), matrix.Config{
		Subjects: []matrix.Subject{{Strategy: "one", Open: sound}}, Scenarios: pick(t, "idor/read", "lifecycle/read-after-delete"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := report.FalseAlarms; len(a) != 1 || a[0].Scenario != "lifecycle/read-after-delete" || a[0].Verdict != harness.Skipped || report.OK() {
		t.Errorf("%+v", a)
	}
}

// TestFull: without stopping at the first proof all that catch are named, and so are those that catch nothing.
func TestFull(t *testing.T) {
	subject := matrix.Subject{Fault: "forgets", Strategy: "one", Open: broken, Expected: []string{"idor/delete"}}
	cfg := matrix.Config{Subjects: []matrix.Subject{subject}, Scenarios: pick(t, "idor/read", "idor/delete", "token/alg-none"), Seed: 1}
	report, err := matrix.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Cells[0].CaughtBy; !slices.Equal(got, []string{"idor/delete"}) || len(report.Idle) > 0 {
		t.Errorf("what is expected runs first and stops the run, but %v caught it; idle %v", got, report.Idle)
	}
	cfg.Full = true
	if report, err = matrix.Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if got := report.Cells[0].CaughtBy; !slices.Equal(got, []string{"idor/delete", "idor/read"}) || !slices.Equal(report.Idle, []string{"token/alg-none"}) {
		t.Errorf("caught by %v, idle %v", got, report.Idle)
	}
}

// TestTable: the table is that of the cells, and says what another wall holds.
func TestTable(t *testing.T) {
	report := &matrix.Report{
		Strategies: []string{"one", "two"}, Faults: 3, Caught: 2, Contained: []matrix.Contain{{Fault: "forgets", Strategy: "two", By: "the wall"}},
		Missed: []matrix.Miss{{Fault: "sleeps", Strategy: "one"}},
		Cells: []matrix.Cell{
			{Strategy: "one", Outcome: matrix.Clean},
			{Strategy: "two", Outcome: matrix.FalseAlarm},
			{Fault: "forgets", Strategy: "one", Outcome: matrix.Caught, CaughtBy: []string{"idor/read"}},
			{Fault: "forgets", Strategy: "two", Outcome: matrix.Contained},
			{Fault: "sleeps", Strategy: "one", Outcome: matrix.Missed},
			{Fault: "signs", Strategy: "one", AlsoFor: []string{"two"}, Outcome: matrix.Caught, CaughtBy: []string{"token/alg-none"}},
		},
	}
	want := []string{
		"| fault | one | two |", "|---|---|---|", "| *none* | holds | **false alarm** |", "| forgets | idor/read | contained by the wall |",
		"| signs | token/alg-none | as in one |",
		"| sleeps | **missed** | n/a |", "", "3 faults, 2 caught, 1 contained in a strategy, 1 missed, 0 false alarms.",
	}
	if got := strings.Split(strings.TrimSpace(report.Markdown()), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

// TestBrokenOff: a subject that cannot be opened ends the matrix; what was proven until then is in the report, and nothing
// is called missed that was not looked at.
func TestBrokenOff(t *testing.T) {
	noLuck := errors.New("no luck")
	wall := matrix.Wall{Name: "the wall", Without: broken}
	report, err := matrix.Run(t.Context(), matrix.Config{Scenarios: pick(t, "idor/read"), Subjects: []matrix.Subject{
		{Fault: "forgets", Strategy: "one", Open: sound, Walls: []matrix.Wall{wall}},
		{Fault: "forgets", Strategy: "two", Open: func(context.Context) (harness.Target, error) { return nil, noLuck }},
	}})
	if !errors.Is(err, noLuck) || !strings.Contains(err.Error(), "forgets in two") || len(report.Cells) != 1 || len(report.Missed) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := matrix.Run(ctx, matrix.Config{Scenarios: pick(t, "idor/read"), Subjects: []matrix.Subject{{Strategy: "one", Open: sound}}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := matrix.Run(t.Context(), matrix.Config{}); !errors.Is(err, matrix.ErrConfig) {
		t.Errorf("nothing to do: %v", err)
	}
}
