package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/reference/faults"
	"github.com/partywall/partywall/scenarios"
)

func listCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List scenarios or faults",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("say what to list: partywall list scenarios, or partywall list faults")
		},
	}
	c.AddCommand(
		listOf("scenarios", "claim", func() (rows []row) {
			for _, s := range scenarios.All() {
				rows = append(rows, row{s.ID, s.Claim, s.Refs})
			}
			return rows
		}),
		listOf("faults", "mistake", func() (rows []row) {
			for _, f := range faults.All() {
				rows = append(rows, row{f.ID, f.Mistake, f.Refs})
			}
			return rows
		}),
	)
	return c
}

type row struct {
	id, text string
	refs     any
}

func listOf(what, member string, rows func() []row) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: what, Short: "List " + what + ", one a line",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch format {
			case "text":
				for _, r := range rows() {
					if _, err := fmt.Fprintf(c.OutOrStdout(), "%-28s %s\n", r.id, r.text); err != nil {
						return err
					}
				}
				return nil
			case "json":
				out := []map[string]any{}
				for _, r := range rows() {
					out = append(out, map[string]any{"id": r.id, member: r.text, "refs": r.refs})
				}
				return writeJSON(c.OutOrStdout(), out)
			default:
				return fmt.Errorf("the format %q is unknown; use text or json", format)
			}
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain SCENARIO", Short: "The attack, why it matters, the fix, and a fault to try it on",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			chosen, err := scenarios.Select(args[0])
			if err != nil {
				return err
			}
			for i, s := range chosen {
				if i > 0 {
					_, _ = fmt.Fprintln(c.OutOrStdout())
				}
				var b strings.Builder
				fmt.Fprintf(&b, "%s\n\n%s%s%s", s.ID, paragraph("Claim", strings.ToUpper(s.Claim[:1])+s.Claim[1:]+"."), paragraph("Why", s.Why), paragraph("Fix", s.Fix))
				refs := append([]string{}, s.Refs.OWASP...)
				for _, cwe := range s.Refs.CWE {
					refs = append(refs, fmt.Sprintf("CWE-%d", cwe))
				}
				b.WriteString(paragraph("See", strings.Join(append(refs, s.Refs.Bugs...), ", ")))
				b.WriteString(paragraph("Asks for", strings.Join(s.Refs.CheatSheet, " / ")))
				for _, f := range faults.All() {
					for _, id := range f.Scenarios {
						if id == s.ID {
							b.WriteString(paragraph("Try it", "partywall demo --fault "+f.ID+strategyOf(f)+" --scenario "+s.ID))
							b.WriteString(paragraph("", f.Mistake))
						}
					}
				}
				if _, err := io.WriteString(c.OutOrStdout(), b.String()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func strategyOf(f faults.Fault) string {
	if len(f.Strategies) > 0 {
		return " --strategy " + f.Strategies[0]
	}
	return ""
}

// paragraph wraps a text under a heading.
func paragraph(heading, text string) string {
	const width, indent = 88, 10
	var b strings.Builder
	line := fmt.Sprintf("%-*s", indent, heading)
	empty := true
	for _, word := range strings.Fields(text) {
		if !empty && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line, empty = strings.Repeat(" ", indent), true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	return b.String() + line + "\n"
}
