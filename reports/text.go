package reports

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/partywall/partywall/harness"
)

// width of a line that has to be read on an ordinary terminal.
const width = 100

// Text writes a summary for a terminal: what became of each scenario, then the story of each breach, then what could not be
// seen, and what was left behind.
func (d *Document) Text(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Partywall: %s, seed %d\n\n", d.Target, d.Seed)
	d.verdicts(&b)
	for _, breach := range d.Breaches() {
		breach.text(&b)
	}
	d.inconclusive(&b)
	d.leftovers(&b)
	fmt.Fprintf(&b, "Cheat sheet: %s.\n", d.tally())
	fmt.Fprintf(&b, "Results: %s in %s and %s.\n", d.summary(), d.requests(),
		(time.Duration(d.DurationMS) * time.Millisecond).Round(100*time.Millisecond))
	if d.Interrupted != "" {
		fmt.Fprintf(&b, "The run ended early: %s\n", stop(d.Interrupted))
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

func (d *Document) requests() string {
	out := fmt.Sprintf("%d requests", d.Requests)
	if d.Requests == 1 {
		out = "1 request"
	}
	if d.BeyondBudget > 0 {
		out += fmt.Sprintf(" (%d of them beyond the budget, to remove what had been created)", d.BeyondBudget)
	}
	return out
}

// tally counts the lines of the scorecard.
func (d *Document) tally() string {
	count := map[string]int{}
	for _, line := range d.Scorecard {
		count[line.Verdict]++
	}
	out := fmt.Sprintf("%d lines held, %d breached, ", count[string(harness.Held)], count[string(harness.Breached)])
	if n := count[string(harness.Inconclusive)]; n > 0 {
		out += fmt.Sprintf("%d inconclusive, ", n)
	}
	return out + fmt.Sprintf("%d %s", count[NotLookedAt], NotLookedAt)
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

// verdicts tells in a line for each scenario on how many resources it held, and names those where it did not.
func (d *Document) verdicts(b *bytes.Buffer) {
	scenarios, _ := d.axes()
	first := 0
	for _, s := range scenarios {
		first = max(first, len(s))
	}
	for _, s := range scenarios {
		on, all := map[harness.Verdict][]string{}, 0
		for _, r := range d.Results {
			if r.Scenario == s {
				on[r.Verdict] = append(on[r.Verdict], r.Resource)
				all++
			}
		}
		var parts []string
		for _, v := range []harness.Verdict{harness.Breached, harness.Inconclusive, harness.Held, harness.Skipped} {
			if names := on[v]; len(names) > 0 {
				parts = append(parts, verdictOn(v, names, all))
			}
		}
		indent(b, fmt.Sprintf("  %-*s  ", first, s), strings.Join(parts, "; "))
	}
	b.WriteString("\n")
}

// verdictOn names the resources of a verdict where these are news: all breached ones, and the few among many.
func verdictOn(v harness.Verdict, names []string, all int) string {
	bad := v == harness.Breached || v == harness.Inconclusive
	word := string(v)
	if bad {
		word = strings.ToUpper(word)
	}
	switch {
	case len(names) == all && all > 1:
		return fmt.Sprintf("%s on all %d", word, all)
	case v == harness.Breached || bad && len(names) < 5 || len(names) < 3:
		return word + " on " + strings.Join(names, ", ")
	default:
		return fmt.Sprintf("%s on %d", word, len(names))
	}
}

// indent writes a text behind a heading, wrapped, its further lines below its first.
func indent(b *bytes.Buffer, heading, text string) {
	line, empty := heading, true
	for _, word := range strings.Fields(text) {
		if !empty && len(line)+1+len(word) > width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line, empty = strings.Repeat(" ", len(heading)), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

func (breach Breach) text(b *bytes.Buffer) {
	s := breach.Stories[0]
	indent(b, fmt.Sprintf("BREACH %d: ", breach.Number), s.Scenario+" on "+strings.Join(breach.Resources(), ", "))
	row := func(heading, text string) { indent(b, fmt.Sprintf("  %-9s ", heading), text) }
	row("Claim", stop(s.Claim))
	row("Seen", s.Seen()+".")
	row("Between", s.Between())
	proof := s.Key(3)
	if s.Control != nil {
		proof = append([]Shown{*s.Control}, proof...)
	}
	for i, e := range proof {
		heading := ""
		if i == 0 {
			heading = "Proof"
		}
		row(heading, e.outcome())
		fmt.Fprintf(b, "              %s %s\n", e.Request.Method, e.Request.URL) // whole, however long
	}
	row("Evidence", strings.Join(s.Finding.Evidence, ", "))
	if len(s.Finding.Curl) > 0 {
		fmt.Fprintf(b, "  Try       %s\n", s.Finding.Curl[0]) // whole, to be copied
	}
	row("Fix", stop(s.Fix))
	row("More", fmt.Sprintf("partywall explain %s; fingerprint %s", s.Scenario, s.Finding.Fingerprint))
	for i, line := range breach.also() {
		heading := ""
		if i == 0 {
			heading = "Also"
		}
		row(heading, line)
	}
	b.WriteString("\n")
}

// outcome says who asked, and what came of it.
func (s Shown) outcome() string {
	out := s.Role() + ", as " + s.Actor
	if s.Label != "" {
		out += " (" + s.Label + ")"
	}
	if s.Err != "" {
		return out + ", gets no answer: " + s.Err
	}
	if s.Purpose == harness.Observe {
		return fmt.Sprintf("%s, %d bytes of it", s.Role(), s.Response.Size)
	}
	return fmt.Sprintf("%s, gets %d", out, s.Response.Status)
}

// also tells of the further stories, a line for each resource.
func (breach Breach) also() (lines []string) {
	for _, resource := range breach.Resources() {
		var verbs, prints []string
		times, seen := 0, ""
		for _, s := range breach.Stories[1:] {
			if s.Resource == resource {
				verbs, prints = with(verbs, s.Verb()), append(prints, s.Finding.Fingerprint)
				times += s.Times
				seen = cmp.Or(seen, s.Seen())
			}
		}
		if times > 0 {
			lines = append(lines, fmt.Sprintf("on %s (%s, %d times): %s; fingerprint %s", resource, strings.Join(verbs, ", "), times, seen, strings.Join(prints, ", ")))
		}
	}
	return lines
}

// Between says who attacked whom.
func (s Story) Between() string {
	return fmt.Sprintf("attacker %s; victim %s; seen %s over all pairs", strings.Join(s.Attackers, ", "), strings.Join(s.Victims, ", "), s.Often())
}

// Often says in words how many times it showed.
func (s Story) Often() string {
	if s.Times == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", s.Times)
}

// inconclusive lists each reason once, with the results that it stopped.
func (d *Document) inconclusive(b *bytes.Buffer) {
	for _, reason := range d.Reasons(harness.Inconclusive) {
		indent(b, "INCONCLUSIVE: ", stop(reason.Text))
		indent(b, "  ", reason.Where(3))
		b.WriteString("\n")
	}
}

// Where names the first few of the results.
func (r Reason) Where(few int) string {
	var places []string
	for _, p := range r.Places[:min(few, len(r.Places))] {
		places = append(places, p.Scenario+" on "+p.Resource)
	}
	out := strings.Join(places, ", ")
	if more := len(r.Places) - len(places); more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}

// Remains are things of one kind that were left at one tenant for one reason.
type Remains struct {
	Tenant, What, Reason string
	IDs                  []string
}

// Remains groups what the run left behind.
func (d *Document) Remains() (out []Remains) {
	for _, l := range d.Left {
		r := Remains{Tenant: l.Tenant, What: cmp.Or(l.Resource, "the tenant itself"), Reason: l.Reason}
		if l.TenantName != "" && l.TenantName != l.Tenant {
			r.Tenant = l.TenantName + " (" + l.Tenant + ")"
		}
		i := slices.IndexFunc(out, func(known Remains) bool {
			return known.Tenant == r.Tenant && known.What == r.What && known.Reason == r.Reason
		})
		if i < 0 {
			i = len(out)
			out = append(out, r)
		}
		if l.ID != "" {
			out[i].IDs = append(out[i].IDs, l.ID)
		}
	}
	return out
}

func (d *Document) leftovers(b *bytes.Buffer) {
	remains := d.Remains()
	if len(remains) == 0 {
		return
	}
	b.WriteString("LEFT BEHIND: the run made these and was not seen to remove them.\n")
	for _, r := range remains {
		indent(b, "  ", strings.TrimSpace(fmt.Sprintf("%s: %s %s", r.Tenant, r.What, strings.Join(r.IDs, ", ")))+" ("+r.Reason+")")
	}
	b.WriteString("\n")
}
