package reports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/partywall/partywall/harness"
)

// Text writes a summary for a terminal: the verdict matrix, then the story of each breach, then what could not be seen.
func (d *Document) Text(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Partywall: %s, seed %d\n\n", d.Target, d.Seed)
	d.matrix(&b)
	for i, s := range d.Stories {
		story(&b, i+1, s)
	}
	d.inconclusive(&b)
	held, breached, unseen := d.tally()
	fmt.Fprintf(&b, "Cheat sheet: %d lines held, %d breached, %d not looked at.\n", held, breached, unseen)
	fmt.Fprintf(&b, "Results: %s in %d requests and %s.\n", d.summary(), d.Requests,
		(time.Duration(d.DurationMS) * time.Millisecond).Round(100*time.Millisecond))
	if d.Interrupted != "" {
		fmt.Fprintf(&b, "The run ended early: %s.\n", d.Interrupted)
	}
	if d.Repeat != "" {
		fmt.Fprintf(&b, "Repeat: %s\n", d.Repeat)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (d *Document) summary() string {
	s := d.Summary
	return fmt.Sprintf("%d held, %d breached, %d inconclusive, %d skipped", s.Held, s.Breached, s.Inconclusive, s.Skipped)
}

// tally counts the scorecard. A line that is inconclusive has not been seen.
func (d *Document) tally() (held, breached, unseen int) {
	for _, line := range d.Scorecard {
		switch line.Verdict {
		case string(harness.Held):
			held++
		case string(harness.Breached):
			breached++
		default:
			unseen++
		}
	}
	return held, breached, unseen
}

// Axes of the verdict matrix.
func (d *Document) axes() (scenarios, resources []string) {
	for _, r := range d.Results {
		if !slices.Contains(scenarios, r.Scenario) {
			scenarios = append(scenarios, r.Scenario)
		}
		if !slices.Contains(resources, r.Resource) {
			resources = append(resources, r.Resource)
		}
	}
	return scenarios, resources
}

func (d *Document) result(scenario, resource string) *harness.Result {
	for i := range d.Results {
		if d.Results[i].Scenario == scenario && d.Results[i].Resource == resource {
			return &d.Results[i]
		}
	}
	return nil
}

func (d *Document) matrix(b *bytes.Buffer) {
	scenarios, resources := d.axes()
	first := len("scenario")
	for _, s := range scenarios {
		first = max(first, len(s))
	}
	row := func(name string, cells []string) {
		line := fmt.Sprintf("  %-*s", first, name)
		for i, c := range cells {
			line += fmt.Sprintf("  %-*s", max(len(resources[i]), len(harness.Inconclusive)), c)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	row("scenario", resources)
	for _, s := range scenarios {
		cells := make([]string, len(resources))
		for i, resource := range resources {
			if r := d.result(s, resource); r != nil {
				cells[i] = string(r.Verdict)
				switch r.Verdict {
				case harness.Skipped:
					cells[i] = "-"
				case harness.Breached:
					cells[i] = "BREACHED"
				}
			}
		}
		row(s, cells)
	}
	b.WriteString("\n")
}

func story(b *bytes.Buffer, n int, s Story) {
	fmt.Fprintf(b, "BREACH %d: %s on %s\n", n, s.Scenario, s.Resource)
	fmt.Fprintf(b, "  Claim     %s\n", s.Claim)
	fmt.Fprintf(b, "  Seen      %s\n", s.Finding.Summary)
	fmt.Fprintf(b, "  Between   attacker %s, victim %s; the same on %d finding(s) in all\n", s.Finding.Attacker, s.Finding.Victim, s.Pairs)
	if s.Control != nil {
		fmt.Fprintf(b, "  Control   %s %s as %s answered %d\n", s.Control.Request.Method, s.Control.Request.URL, s.Control.Actor, s.Control.Response.Status)
	}
	for _, e := range s.Proof[:min(3, len(s.Proof))] {
		bent := ""
		if e.Label != "" {
			bent = " (" + e.Label + ")"
		}
		fmt.Fprintf(b, "  %-9s %s %s as %s answered %d%s\n", e.Purpose, e.Request.Method, e.Request.URL, e.Actor, e.Response.Status, bent)
	}
	fmt.Fprintf(b, "  Evidence  %s\n", strings.Join(s.Finding.Evidence, ", "))
	if len(s.Finding.Curl) > 0 {
		fmt.Fprintf(b, "  Try       %s\n", s.Finding.Curl[0])
	}
	fmt.Fprintf(b, "  Fix       %s\n", s.Fix)
	fmt.Fprintf(b, "  More      partywall explain %s; fingerprint %s\n\n", s.Scenario, s.Finding.Fingerprint)
}

// inconclusive lists each reason once, with the results that it stopped.
func (d *Document) inconclusive(b *bytes.Buffer) {
	var reasons []string
	where := map[string][]string{}
	for _, r := range d.Results {
		if r.Verdict == harness.Inconclusive {
			if where[r.Reason] == nil {
				reasons = append(reasons, r.Reason)
			}
			where[r.Reason] = append(where[r.Reason], r.Scenario+" on "+r.Resource)
		}
	}
	for _, reason := range reasons {
		places := where[reason]
		more := ""
		if len(places) > 3 {
			more = fmt.Sprintf(" and %d more", len(places)-3)
		}
		fmt.Fprintf(b, "INCONCLUSIVE: %s\n  %s%s\n\n", reason, strings.Join(places[:min(3, len(places))], ", "), more)
	}
}
