package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reports"
	"github.com/partywall/partywall/scenarios"
)

// options of every command that attacks.
type options struct {
	scenarios  []string
	seed       int64
	format     string
	out        string
	strict     bool
	quiet      bool
	budget     int64
	rate       float64
	allowHosts []string
	backing    string
}

func (o *options) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&o.scenarios, "scenario", nil, "run the scenarios that match this `GLOB`, such as 'idor/*' (repeatable)")
	f.Int64Var(&o.seed, "seed", 0, "seed of everything random (default: drawn, and printed)")
	f.StringVar(&o.format, "format", "text", "what goes to standard output: "+strings.Join(reports.Formats(), ", "))
	f.StringVar(&o.out, "out", "", "folder of the report; it must not exist (default partywall-report/<time>-<seed>)")
	f.BoolVar(&o.strict, "strict", false, "exit 2 when something was skipped")
	f.BoolVar(&o.quiet, "quiet", false, "no progress on standard error")
	f.Int64Var(&o.budget, "budget", 100_000, "how many requests may be sent at most")
	f.Float64Var(&o.rate, "rate", 0, "requests per second at most (default: no limit)")
	f.StringArrayVar(&o.allowHosts, "allow-host", nil, "a `HOST:PORT` beyond loopback that requests may go to (repeatable)")
}

func demoCommand() *cobra.Command {
	var o options
	var strategy, fault string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Attack the bundled reference service with every scenario",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			spec := "reference:" + strategy
			if fault != "" {
				spec += "+" + fault
			}
			return o.attack(c, spec)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&strategy, "strategy", "row", "isolation strategy of the reference service: row, rls")
	c.Flags().StringVar(&fault, "fault", "", "plant this fault first and show its story; see 'partywall list faults'")
	c.Flags().StringVar(&o.backing, "backing", "embedded", "where Postgres, Redis and S3 come from: embedded, external")
	return c
}

func runCommand() *cobra.Command {
	var o options
	var target string
	c := &cobra.Command{
		Use:   "run --target FILE.yaml",
		Short: "Attack a described service",
		Long: "Attack the service that a target file describes, or the bundled one with --target reference[:STRATEGY][+FAULT...].\n" +
			"See targets/examples for a target file.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.attack(c, target) },
	}
	o.flags(c)
	c.Flags().StringVar(&target, "target", "", "a target file, or reference[:STRATEGY][+FAULT...]")
	c.Flags().StringVar(&o.backing, "backing", "embedded", "of the reference service: embedded, external")
	if err := c.MarkFlagRequired("target"); err != nil {
		panic(err) // the flag was defined a line above
	}
	return c
}

// attack is the main job: open the target, run, keep the evidence, print.
func (o *options) attack(c *cobra.Command, spec string) (err error) {
	ctx := c.Context()
	chosen, err := scenarios.Select(o.scenarios...)
	if err != nil {
		return err
	}
	if !slices.Contains(reports.Formats(), o.format) {
		return fmt.Errorf("the format %q is unknown; use one of %s", o.format, strings.Join(reports.Formats(), ", "))
	}
	if o.budget <= 0 || o.rate < 0 {
		return errors.New("--budget must be above zero and --rate not below it")
	}
	open, err := parseTarget(spec, o.backing)
	if err != nil {
		return err
	}
	if o.seed == 0 {
		o.seed = rand.Int64N(1_000_000) + 1
	}
	if o.out == "" {
		o.out = filepath.Join("partywall-report", fmt.Sprintf("%s-%d", time.Now().UTC().Format("20060102-150405"), o.seed))
	}
	folder, err := reports.Create(o.out, reports.Header{Target: spec, Seed: o.seed, Spec: spec})
	if err != nil {
		return err
	}
	report, err := o.run(ctx, c.ErrOrStderr(), open, harness.Config{Scenarios: chosen, Keep: folder.Keep})
	if err != nil {
		return errors.Join(err, folder.Abort())
	}
	report.Repeat = o.repeat(spec)
	if err := folder.Finish(report); err != nil {
		return err
	}
	document, err := reports.NewDocument(o.out, report)
	if err != nil {
		return err
	}
	if err := document.Render(c.OutOrStdout(), o.format); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(c.ErrOrStderr(), "The report is in %s; open report.html there.\n", o.out)
	return exit(report.ExitCode(o.strict))
}

// run opens a target, attacks it and closes it.
func (o *options) run(ctx context.Context, stderr io.Writer, open opener, cfg harness.Config) (_ *harness.Report, err error) {
	target, closeTarget, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeTarget(context.WithoutCancel(ctx))) }()
	cfg.Target, cfg.Seed, cfg.Budget, cfg.Rate, cfg.AllowHosts = target, o.seed, o.budget, o.rate, o.allowHosts
	if !o.quiet {
		p := newProgress(stderr, target.Name())
		defer p.done()
		cfg.Progress = p.cell
	}
	return harness.Run(ctx, cfg)
}

// repeat is the command that repeats this run.
func (o *options) repeat(spec string) string {
	parts := []string{"partywall run --target", quote(spec), fmt.Sprintf("--seed %d", o.seed)}
	for _, s := range o.scenarios {
		parts = append(parts, "--scenario", quote(s))
	}
	for _, h := range o.allowHosts {
		parts = append(parts, "--allow-host", quote(h))
	}
	if o.backing != "embedded" {
		parts = append(parts, "--backing", o.backing)
	}
	return strings.Join(parts, " ")
}

func quote(s string) string {
	if strings.ContainsAny(s, " *?[]'\"$") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
