package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reports"
	"github.com/partywall/partywall/scenarios"
)

func replayCommand() *cobra.Command {
	var o options
	var target, finding string
	c := &cobra.Command{
		Use: "replay DIR", Short: "Attack again where a stored report has findings: fixed, still breached, or error",
		Long: "Repeats all the cells in which a stored report found something, with the same seed: the same requests with fresh tenants and\n" +
			"credentials. Exit code 0 when all are fixed, 1 when one is still breached, 2 when one could not be told.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			stored, header, err := reports.Open(args[0])
			if err != nil {
				return err
			}
			stories := slices.DeleteFunc(slices.Clone(stored.Stories), func(s reports.Story) bool {
				return finding != "" && s.Finding.Fingerprint != finding
			})
			switch {
			case len(stories) == 0 && finding != "":
				return fmt.Errorf("%s holds no finding with the fingerprint %s; its report lists those that it holds", args[0], finding)
			case len(stories) == 0:
				_, err := fmt.Fprintf(c.OutOrStdout(), "%s holds no finding, so there is nothing to replay.\n", args[0])
				return errors.Join(err, exit(stored.ExitCode(false)))
			case target == "" && header.Spec == "":
				return fmt.Errorf("%s does not say how to open its target; name it with --target", args[0])
			case target == "":
				target = header.Spec
			}
			o.seed = header.Seed
			return o.replay(c, target, stories)
		},
	}
	f := c.Flags()
	f.StringVar(&target, "target", "", "attack this target instead of the report's own")
	f.StringVar(&finding, "finding", "", "only the finding with this `FINGERPRINT`")
	f.StringVar(&o.backing, "backing", "embedded", "of the reference service: "+strings.Join(backing.Kinds(), ", "))
	f.StringArrayVar(&o.allowHosts, "allow-host", nil, "a `HOST:PORT` beyond loopback that requests may go to (repeatable)")
	o.quiet, o.budget = true, defaultBudget
	return c
}

// replay runs the cells of all stories on one freshly opened target.
func (o *options) replay(c *cobra.Command, target string, stories []reports.Story) error {
	open, err := parseTarget(target, o.backing)
	if err != nil {
		return err
	}
	var cfg harness.Config
	for _, s := range stories {
		if !slices.ContainsFunc(cfg.Scenarios, func(known harness.Scenario) bool { return known.ID == s.Scenario }) {
			chosen, err := scenarios.Select(s.Scenario)
			if err != nil {
				return err
			}
			cfg.Scenarios = append(cfg.Scenarios, chosen...)
		}
		cfg.Cells = append(cfg.Cells, s.Cells...)
	}
	report, err := o.run(c.Context(), c.ErrOrStderr(), open, cfg)
	if report == nil {
		return notBegun(c, err)
	}
	worst := harness.ExitHeld
	for _, s := range stories {
		outcome, code := now(report, s)
		worst = worse(worst, code)
		if _, err := fmt.Fprintf(c.OutOrStdout(), "%s  %s on %s: %s\n", s.Finding.Fingerprint, s.Scenario, s.Resource, outcome); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return exit(worst)
}

// worse orders exit codes: 1 before 2 before 0.
func worse(a, b int) int {
	if a == harness.ExitBreached || b == harness.ExitHeld {
		return a
	}
	return b
}

// now says what has become of a finding, looking at every cell in which it showed.
func now(report *harness.Report, s reports.Story) (outcome string, code int) {
	verdict, reason, played := harness.Skipped, "", 0
	for _, cell := range report.Coverage {
		if !slices.Contains(s.Cells, cell.Scenario+"/"+cell.Resource+"/"+cell.Attacker+"-"+cell.Victim) {
			continue
		}
		if cell.Verdict != harness.Skipped {
			played++
		}
		if worse := verdict.Worse(cell.Verdict); worse != verdict || reason == "" {
			verdict, reason = worse, cell.Reason
		}
	}
	again := 0
	for _, r := range report.Results {
		for _, f := range r.Findings {
			if f.Fingerprint == s.Finding.Fingerprint {
				again++
			}
		}
	}
	switch {
	case again > 0:
		return fmt.Sprintf("still breached (%d of %d times): %s", again, s.Times, s.Finding.Summary), harness.ExitBreached
	case verdict == harness.Breached:
		return "breached in another way: " + reason, harness.ExitBreached
	case played < len(s.Cells):
		return fmt.Sprintf("error: the target offers only %d of the %d cells in which it showed", played, len(s.Cells)), harness.ExitInconclusive
	case verdict == harness.Held:
		return "fixed", harness.ExitHeld
	default:
		return "error: " + reason, harness.ExitInconclusive
	}
}
