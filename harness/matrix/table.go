package matrix

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown is the matrix as a table: a row for each fault, a column for each strategy. It holds no times, so that it can
// be compared with a golden file.
func (r *Report) Markdown() string {
	var b strings.Builder
	b.WriteString("| fault |")
	for _, s := range r.Strategies {
		b.WriteString(" " + s + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(r.Strategies)) + "\n")
	var faults []string
	for _, c := range r.Cells {
		if !slices.Contains(faults, c.Fault) {
			faults = append(faults, c.Fault)
		}
	}
	slices.Sort(faults)
	for _, fault := range faults {
		name := fault
		if name == "" {
			name = "*none*"
		}
		b.WriteString("| " + name + " |")
		for _, strategy := range r.Strategies {
			b.WriteString(" " + r.entry(fault, strategy) + " |")
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\n%d faults, %d caught, %d contained in a strategy, %d missed, %d false alarms.\n",
		r.Faults, r.Caught, len(r.Contained), len(r.Missed), len(r.FalseAlarms))
	return b.String()
}

func (r *Report) entry(fault, strategy string) string {
	i := slices.IndexFunc(r.Cells, func(c Cell) bool { return c.Fault == fault && c.speaksFor(strategy) })
	if i < 0 {
		return "n/a"
	}
	if c := r.Cells[i]; c.Strategy != strategy {
		return "as in " + c.Strategy
	}
	switch c := r.Cells[i]; c.Outcome {
	case Clean:
		return "holds"
	case Caught:
		return strings.Join(c.CaughtBy, ", ")
	case Contained:
		k := slices.IndexFunc(r.Contained, func(c Contain) bool { return c.Fault == fault && c.Strategy == strategy })
		return "contained by " + r.Contained[k].By
	default:
		return "**" + string(c.Outcome) + "**"
	}
}
