package harness

import "time"

// Schema names the version of Report's JSON form.
const Schema = "partywall/1"

// Report is the outcome of a run, in the form that is published as JSON.
type Report struct {
	Schema     string    `json:"schema"`
	Target     string    `json:"target"`
	Seed       int64     `json:"seed"`
	Started    time.Time `json:"started"`
	DurationMS int64     `json:"duration_ms"`
	Requests   int64     `json:"requests"`
	// BeyondBudget counts the requests among them that were sent when the budget was spent, to remove what had been created.
	BeyondBudget int64      `json:"beyond_budget,omitempty"`
	Summary      Summary    `json:"summary"`
	Results      []Result   `json:"results"`
	Coverage     []Coverage `json:"coverage"`
	// Left is what the run brought into the service and was not seen to remove.
	Left []Leftover `json:"left,omitempty"`
	// Interrupted says why the run ended before its plan did.
	Interrupted string `json:"interrupted,omitempty"`
	// Repeat is the command that repeats the run.
	Repeat string `json:"repeat,omitempty"`
}

// Summary counts results by verdict.
type Summary struct {
	Held         int `json:"held"`
	Breached     int `json:"breached"`
	Inconclusive int `json:"inconclusive"`
	Skipped      int `json:"skipped"`
}

// Result is the verdict on one claim for one resource: that of its worst cell.
type Result struct {
	Scenario string    `json:"scenario"`
	Claim    string    `json:"claim"`
	Why      string    `json:"why,omitempty"`
	Fix      string    `json:"fix,omitempty"`
	Verdict  Verdict   `json:"verdict"`
	Reason   string    `json:"reason"`
	Resource string    `json:"resource"`
	Refs     Refs      `json:"refs"`
	Findings []Finding `json:"findings"`
	Cells    int       `json:"cells"`
}

// Coverage is one cell with its verdict: what was looked at, and what was not, and why.
type Coverage struct {
	Resource string  `json:"resource"`
	Verb     string  `json:"verb"`
	Scenario string  `json:"scenario"`
	Attacker string  `json:"attacker"`
	Victim   string  `json:"victim"`
	Verdict  Verdict `json:"verdict"`
	Reason   string  `json:"reason"`
}

// The exit codes of the contract.
const (
	ExitHeld         = 0
	ExitBreached     = 1
	ExitInconclusive = 2
	ExitUsage        = 3
)

// ExitCode is the run's answer to a CI job: 1 breached, 2 inconclusive or nothing held (or skipped, when strict), else 0.
func (r *Report) ExitCode(strict bool) int {
	switch s := r.Summary; {
	case s.Breached > 0:
		return ExitBreached
	case s.Inconclusive > 0 || s.Held == 0 || r.Interrupted != "" || strict && s.Skipped > 0:
		return ExitInconclusive
	default:
		return ExitHeld
	}
}
