package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reports"
	"github.com/partywall/partywall/scenarios"
)

func reportCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "report DIR", Short: "Render a stored report",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d, _, err := reports.Open(args[0])
			if err != nil {
				return err
			}
			return d.Render(c.OutOrStdout(), format)
		},
	}
	c.Flags().StringVar(&format, "format", "text", strings.Join(reports.Formats(), ", "))
	return c
}

func judgeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "judge DIR", Short: "Judge stored evidence again, without the target",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cells, worst := 0, harness.Held
			_, err := reports.Each(args[0], func(r reports.Record) error {
				if r.Verdict == "" {
					return nil // what was sent outside of cells is not judged
				}
				chosen, err := scenarios.Select(r.Cell.Scenario)
				if err != nil {
					return err
				}
				verdict, reason, _ := harness.JudgeHistory(r.History, chosen[0].Judge)
				cells++
				worst = worst.Worse(verdict)
				if verdict != r.Verdict || verdict != harness.Held {
					_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s (was %s) %s\n", r.Cell.ID, verdict, r.Verdict, reason)
				}
				return err
			})
			if err != nil {
				return err
			}
			if cells == 0 {
				return fmt.Errorf("%w: %s holds no cell that was judged", reports.ErrNoReport, args[0])
			}
			if _, err := fmt.Fprintf(c.OutOrStdout(), "%d cells judged again; the worst is %s\n", cells, worst); err != nil {
				return err
			}
			return exit(map[harness.Verdict]int{harness.Breached: harness.ExitBreached, harness.Inconclusive: harness.ExitInconclusive}[worst])
		},
	}
}

func replayCommand() *cobra.Command {
	var o options
	var target, finding string
	c := &cobra.Command{
		Use: "replay DIR", Short: "Attack again where a stored report has findings: fixed, still breached, or error",
		Long: "Repeats the cells in which a stored report found something, with the same seed: the same requests with fresh tenants and\n" +
			"credentials. Exit code 0 when all are fixed, 1 when one is still breached, 2 when one could not be told.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			stored, header, err := reports.Open(args[0])
			if err != nil {
				return err
			}
			if target == "" {
				target = header.Spec
			}
			stories := slices.DeleteFunc(slices.Clone(stored.Stories), func(s reports.Story) bool {
				return finding != "" && s.Finding.Fingerprint != finding
			})
			if len(stories) == 0 {
				return fmt.Errorf("%s holds no finding %s to replay", args[0], finding)
			}
			open, err := parseTarget(target, o.backing)
			if err != nil {
				return err
			}
			o.seed = header.Seed
			worst := harness.ExitHeld
			for _, s := range stories {
				outcome, code, err := o.again(c.Context(), open, s)
				if err != nil {
					return err
				}
				worst = worse(worst, code)
				if _, err := fmt.Fprintf(c.OutOrStdout(), "%s  %s on %s: %s\n", s.Finding.Fingerprint, s.Scenario, s.Resource, outcome); err != nil {
					return err
				}
			}
			return exit(worst)
		},
	}
	f := c.Flags()
	f.StringVar(&target, "target", "", "attack this target instead of the report's own")
	f.StringVar(&finding, "finding", "", "only the finding with this `FINGERPRINT`")
	f.StringVar(&o.backing, "backing", "embedded", "of the reference service: embedded, external")
	f.StringArrayVar(&o.allowHosts, "allow-host", nil, "a `HOST:PORT` beyond loopback that requests may go to (repeatable)")
	o.quiet, o.budget = true, 100_000
	return c
}

// worse orders exit codes: 1 before 2 before 0.
func worse(a, b int) int {
	if a == harness.ExitBreached || b == harness.ExitHeld {
		return a
	}
	return b
}

// again runs the cell of a story on a freshly opened target.
func (o *options) again(ctx context.Context, open opener, s reports.Story) (outcome string, code int, err error) {
	if len(s.Finding.Evidence) == 0 {
		return "", 0, errors.New("a finding without evidence cannot be replayed")
	}
	chosen, err := scenarios.Select(s.Scenario)
	if err != nil {
		return "", 0, err
	}
	cell := s.Finding.Evidence[0][:strings.LastIndex(s.Finding.Evidence[0], "/")]
	report, err := o.run(ctx, nil, open, harness.Config{Scenarios: chosen, Cells: []string{cell}, Lanes: 1})
	if err != nil {
		return "", 0, err
	}
	for _, r := range report.Results {
		for _, f := range r.Findings {
			if f.Fingerprint == s.Finding.Fingerprint {
				return "still breached: " + f.Summary, harness.ExitBreached, nil
			}
		}
		switch r.Verdict {
		case harness.Breached:
			return "breached in another way: " + r.Reason, harness.ExitBreached, nil
		case harness.Held:
			return "fixed", harness.ExitHeld, nil
		default:
			return "error: " + r.Reason, harness.ExitInconclusive, nil
		}
	}
	return "error: the target offers no such cell any more", harness.ExitInconclusive, nil
}
