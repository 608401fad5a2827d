// Package matrix proves a harness: it runs scenarios against subjects that are broken in a known way, and against clean
// ones, and says who catches what.
//
// A subject with a fault is caught when a scenario is breached, contained when no scenario is and the run with the wall
// that stands in its stead taken away is, and missed otherwise. A fault that is contained wherever it exists is missed as
// well: nobody would notice the day the walls fall. A clean subject that is accused, or on which nothing could
// be shown to hold, is a false alarm.
package matrix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/partywall/partywall/harness"
)

// Open starts a target. The matrix closes it.
type Open func(ctx context.Context) (harness.Target, error)

// A Subject is one service to be attacked.
type Subject struct {
	// Fault planted in it; empty for a clean one.
	Fault    string
	Strategy string
	// Strategies in which the fault exists: it must be caught in one of them, which only a matrix of them all can tell. Empty
	// means those of the matrix.
	Strategies []string
	// AlsoFor are strategies that are not looked at, because the fault breaks what they do not touch: this subject speaks for them.
	AlsoFor []string
	Backing string
	Open    Open
	// Expected are the scenarios that should catch the fault; they run first.
	Expected []string
	// Walls that may hold in the fault's stead.
	Walls []Wall
}

// A Wall is a layer that may contain a fault; Without opens the same subject with that layer taken away.
type Wall struct {
	Name    string
	Without Open
}

// Config of a matrix.
type Config struct {
	Subjects  []Subject
	Scenarios []harness.Scenario
	Seed      int64
	// Full runs every scenario in every cell; else a cell runs the expected ones and Others more, and stops at the first
	// breach.
	Full   bool
	Others int // default 5
	// Progress is told of every finished cell. Optional.
	Progress func(done, total int, c Cell)
	_        struct{}
}

// Outcome of a cell.
type Outcome string

// The outcomes of a cell.
const (
	Clean      Outcome = "clean"
	Caught     Outcome = "caught"
	Contained  Outcome = "contained"
	Missed     Outcome = "missed"
	FalseAlarm Outcome = "false alarm"
)

// Report of a matrix, in the form that is published as JSON.
type Report struct {
	Strategies  []string  `json:"strategies"`
	Backings    []string  `json:"backings"`
	Faults      int       `json:"faults"`
	Caught      int       `json:"caught"` // faults caught in at least one strategy
	Contained   []Contain `json:"contained"`
	Missed      []Miss    `json:"missed"`
	FalseAlarms []Alarm   `json:"false_alarms"`
	Cells       []Cell    `json:"cells"`
	Idle        []string  `json:"idle_scenarios"` // scenarios that caught nothing; filled by a full matrix only
	DurationMS  int64     `json:"duration_ms"`
}

// Contain is a fault that another wall held.
type Contain struct {
	Fault         string   `json:"fault"`
	Strategy      string   `json:"strategy"`
	By            string   `json:"by"`
	ProvenWithout []string `json:"proven_without"` // the scenarios that were breached without that wall
}

// Miss is a fault that nobody saw. The strategy "any" stands for a fault that is caught in none.
type Miss struct {
	Fault    string `json:"fault"`
	Strategy string `json:"strategy"`
	Reason   string `json:"reason"`
}

// Alarm is a clean subject that was accused, or that could not be shown to be clean.
type Alarm struct {
	Strategy string          `json:"strategy"`
	Scenario string          `json:"scenario"`
	Resource string          `json:"resource"`
	Verdict  harness.Verdict `json:"verdict"`
	Reason   string          `json:"reason"`
}

// Cell is one subject and what came of it.
type Cell struct {
	Fault    string   `json:"fault"`
	Strategy string   `json:"strategy"`
	AlsoFor  []string `json:"also_for,omitempty"`
	Backing  string   `json:"backing"`
	Outcome  Outcome  `json:"outcome"`
	CaughtBy []string `json:"caught_by"`
	FirstMS  int64    `json:"first_ms"` // until the first breach, or until the end
	Requests int64    `json:"requests"`
}

// ErrConfig means that a matrix cannot be run as it is configured.
var ErrConfig = errors.New("the matrix is not configured")

// Run attacks every subject, one after the other. An error means that a subject could not be opened or the run was
// cancelled; what was proven until then is in the report.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if len(cfg.Subjects) == 0 || len(cfg.Scenarios) == 0 {
		return nil, fmt.Errorf("%w: it needs subjects and scenarios", ErrConfig)
	}
	cfg.Others = cmp.Or(cfg.Others, 5)
	m := &run{cfg: cfg, report: &Report{
		Strategies: []string{}, Backings: []string{}, Contained: []Contain{}, Missed: []Miss{}, FalseAlarms: []Alarm{}, Cells: []Cell{},
	}}
	began := time.Now()
	for _, s := range cfg.Subjects {
		cell, err := m.subject(ctx, s)
		if err != nil {
			return m.finish(began), fmt.Errorf("%s in %s: %w", cmp.Or(s.Fault, "the clean service"), s.Strategy, err)
		}
		m.report.Cells = append(m.report.Cells, cell)
		if cfg.Progress != nil {
			cfg.Progress(len(m.report.Cells), len(cfg.Subjects), cell)
		}
	}
	return m.finish(began), nil
}

type run struct {
	cfg    Config
	report *Report
}

func (m *run) subject(ctx context.Context, s Subject) (Cell, error) {
	cell := Cell{Fault: s.Fault, Strategy: s.Strategy, AlsoFor: s.AlsoFor, Backing: s.Backing, CaughtBy: []string{}}
	chosen := m.cfg.Scenarios
	if s.Fault != "" && !m.cfg.Full {
		chosen = m.choose(s)
	}
	report, err := m.attack(ctx, s.Open, chosen, s.Fault != "" && !m.cfg.Full)
	if err != nil {
		return cell, err
	}
	cell.FirstMS, cell.Requests, cell.CaughtBy = report.DurationMS, report.Requests, breached(report)
	if s.Fault != "" && !m.cfg.Full && len(cell.CaughtBy) > 1 {
		// The lanes run side by side, so a second proof may have come in before the first one stopped the run.
		cell.CaughtBy = cell.CaughtBy[:1]
	}
	switch {
	case s.Fault == "":
		cell.Outcome = m.clean(s, report)
	case len(cell.CaughtBy) > 0:
		cell.Outcome = Caught
	default:
		return cell, m.contain(ctx, s, chosen, report, &cell)
	}
	return cell, nil
}

// choose puts the expected scenarios first, and some seeded others behind them: a fault may be caught by one that nobody
// thought of, and another seed looks elsewhere. The others are played by one pair on each resource: where another wall holds, nothing
// stops them, and there they would be most of the work.
func (m *run) choose(s Subject) []harness.Scenario {
	var expected, others []harness.Scenario
	for _, scenario := range m.cfg.Scenarios {
		if slices.Contains(s.Expected, scenario.ID) {
			expected = append(expected, scenario)
		} else {
			others = append(others, scenario)
		}
	}
	r := rand.New(rand.NewPCG(uint64(m.cfg.Seed), uint64(len(s.Fault))))
	r.Shuffle(len(others), func(i, k int) { others[i], others[k] = others[k], others[i] })
	others = others[:min(m.cfg.Others, len(others))]
	for i := range others {
		others[i].Front = true
	}
	return append(expected, others...)
}

func (m *run) attack(ctx context.Context, open Open, scenarios []harness.Scenario, first bool) (*harness.Report, error) {
	target, err := open(ctx)
	if err != nil {
		return nil, err
	}
	report, err := harness.Run(ctx, harness.Config{Target: target, Scenarios: scenarios, Seed: m.cfg.Seed, FirstBreach: first})
	err = errors.Join(err, target.Close(context.WithoutCancel(ctx)))
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return report, err
}

func breached(r *harness.Report) []string {
	out := []string{}
	for _, result := range r.Results {
		if result.Verdict == harness.Breached && !slices.Contains(out, result.Scenario) {
			out = append(out, result.Scenario)
		}
	}
	return out
}

func (m *run) clean(s Subject, report *harness.Report) Outcome {
	outcome := Clean
	for _, result := range report.Results {
		if result.Verdict == harness.Breached || result.Verdict == harness.Inconclusive {
			outcome = FalseAlarm
			m.report.FalseAlarms = append(m.report.FalseAlarms, Alarm{
				Strategy: s.Strategy, Scenario: result.Scenario, Resource: result.Resource, Verdict: result.Verdict, Reason: result.Reason,
			})
		}
	}
	// A scenario that is skipped everywhere has shown nothing.
	for _, scenario := range m.cfg.Scenarios {
		held := slices.ContainsFunc(report.Results, func(r harness.Result) bool {
			return r.Scenario == scenario.ID && r.Verdict != harness.Skipped
		})
		if !held {
			outcome = FalseAlarm
			m.report.FalseAlarms = append(m.report.FalseAlarms, Alarm{
				Strategy: s.Strategy, Scenario: scenario.ID, Verdict: harness.Skipped, Reason: "it was skipped on every resource and showed nothing",
			})
		}
	}
	return outcome
}

// contain asks whether another wall held: without it, the fault must be caught.
func (m *run) contain(ctx context.Context, s Subject, chosen []harness.Scenario, held *harness.Report, cell *Cell) error {
	for _, wall := range s.Walls {
		without, err := m.attack(ctx, wall.Without, chosen, !m.cfg.Full)
		if err != nil {
			return fmt.Errorf("without %s: %w", wall.Name, err)
		}
		cell.Requests += without.Requests
		if proof := breached(without); len(proof) > 0 {
			cell.Outcome = Contained
			m.report.Contained = append(m.report.Contained, Contain{s.Fault, s.Strategy, wall.Name, proof})
			return nil
		}
	}
	cell.Outcome = Missed
	m.report.Missed = append(m.report.Missed, Miss{s.Fault, s.Strategy, fmt.Sprintf("%d held, %d inconclusive, %d skipped, none breached",
		held.Summary.Held, held.Summary.Inconclusive, held.Summary.Skipped)})
	return nil
}

func (m *run) finish(began time.Time) *Report {
	r := m.report
	var faults []string
	caught, catchers := map[string]bool{}, map[string]bool{}
	for _, c := range r.Cells {
		r.Strategies = with(r.Strategies, c.Strategy)
		r.Backings = with(r.Backings, c.Backing)
		if c.Fault == "" {
			continue
		}
		faults = with(faults, c.Fault)
		caught[c.Fault] = caught[c.Fault] || c.Outcome == Caught
		for _, s := range c.CaughtBy {
			catchers[s] = true
		}
	}
	r.Faults = len(faults)
	for _, fault := range faults {
		switch {
		case caught[fault]:
			r.Caught++
		case m.everywhere(fault):
			r.Missed = append(r.Missed, Miss{fault, "any", "it is caught in no strategy"})
		}
	}
	r.Idle = []string{}
	for _, s := range m.cfg.Scenarios {
		if m.cfg.Full && !catchers[s.ID] {
			r.Idle = append(r.Idle, s.ID)
		}
	}
	r.DurationMS = time.Since(began).Milliseconds()
	return r
}

// everywhere tells whether a fault was looked at in every strategy in which it exists.
func (m *run) everywhere(fault string) bool {
	for _, s := range m.cfg.Subjects {
		if s.Fault != fault {
			continue
		}
		for _, strategy := range append([]string{s.Strategy}, s.Strategies...) {
			if !slices.ContainsFunc(m.report.Cells, func(c Cell) bool { return c.Fault == fault && c.speaksFor(strategy) }) {
				return false
			}
		}
	}
	return true
}

// with appends what is not there yet.
func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// speaksFor a strategy: it was looked at there, or in one that does not differ.
func (c Cell) speaksFor(strategy string) bool {
	return c.Strategy == strategy || slices.Contains(c.AlsoFor, strategy)
}

// OK tells whether every fault was caught or contained and nothing clean was accused.
func (r *Report) OK() bool { return len(r.Missed) == 0 && len(r.FalseAlarms) == 0 }
