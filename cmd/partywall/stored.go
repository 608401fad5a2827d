package main

import (
	"errors"
	"fmt"
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
		Long: "Judges every record in the evidence of a report again, without the target. The evidence of a run that was broken off, and\n" +
			"has no report, is judged as far as it goes.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			say := func(format string, args ...any) error {
				_, err := fmt.Fprintf(c.OutOrStdout(), format, args...)
				return err
			}
			j := judgement{worst: harness.Skipped, judged: map[string]bool{}}
			_, err := reports.Each(args[0], func(r reports.Record) error {
				verdict, reason, err := j.record(r)
				if err == nil && (verdict != r.Verdict || verdict != harness.Held) && r.Verdict != "" {
					err = say("%s: %s (was %s) %s\n", r.Cell.ID, verdict, r.Verdict, reason)
				}
				return err
			})
			if errors.Is(err, reports.ErrTruncated) {
				j.worst = j.worst.Worse(harness.Inconclusive)
				err = say("The run was broken off while it wrote a record; that one is not judged.\n")
			}
			if err != nil {
				return err
			}
			unplayed, err := j.unplayed(args[0])
			if err != nil {
				return err
			}
			return errors.Join(say("%d cells judged again, %s; the worst is %s\n", len(j.judged), unplayed, j.worst), exit(j.code()))
		},
	}
}

// judgement is what judging again has come to.
type judgement struct {
	worst  harness.Verdict
	judged map[string]bool // by the id of the cell
}

// record judges one cell. What was sent outside of cells has no verdict, and is not judged.
func (j *judgement) record(r reports.Record) (harness.Verdict, string, error) {
	if r.Verdict == "" {
		return "", "", nil
	}
	chosen, err := scenarios.Select(r.Cell.Scenario)
	if err != nil {
		return "", "", err
	}
	verdict, reason, _ := harness.JudgeHistory(r.History, chosen[0].Judge)
	j.judged[r.Cell.ID] = true
	j.worst = j.worst.Worse(verdict)
	return verdict, reason, nil
}

// unplayed says how many cells never ran. What never ran has not held, and what nobody knows of has not either.
func (j *judgement) unplayed(path string) (string, error) {
	stored, _, err := reports.Open(path)
	if errors.Is(err, reports.ErrNoReport) {
		j.worst = j.worst.Worse(harness.Inconclusive)
		return "there is no report to say how many never ran", nil
	}
	if err != nil {
		return "", err
	}
	unplayed := 0
	for _, cell := range stored.Coverage {
		if cell.Verdict == harness.Inconclusive && !j.judged[cell.Scenario+"/"+cell.Resource+"/"+cell.Attacker+"-"+cell.Victim] {
			unplayed++
		}
	}
	if unplayed > 0 || len(j.judged) == 0 || stored.Interrupted != "" {
		j.worst = j.worst.Worse(harness.Inconclusive)
	}
	return fmt.Sprintf("%d never ran", unplayed), nil
}

func (j *judgement) code() int {
	switch j.worst {
	case harness.Breached:
		return harness.ExitBreached
	case harness.Held:
		return harness.ExitHeld
	default:
		return harness.ExitInconclusive
	}
}
