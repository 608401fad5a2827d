package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reports"
	"github.com/partywall/partywall/scenarios"
)

// defaultBudget of requests of a run.
const defaultBudget = 100_000

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
	f.Int64Var(&o.seed, "seed", 0, "seed of everything random (drawn where none is given, and printed)")
	f.StringVar(&o.format, "format", "text", "what goes to standard output: "+strings.Join(reports.Formats(), ", "))
	f.StringVar(&o.out, "out", "", "folder of the report; it must not exist (default partywall-report/<time>-<seed>)")
	f.BoolVar(&o.strict, "strict", false, "exit 2 when something was skipped")
	f.BoolVar(&o.quiet, "quiet", false, "no progress on standard error")
	f.Int64Var(&o.budget, "budget", defaultBudget, "how many requests may be sent at most; what they created is removed even when they are spent")
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
	c.Flags().StringVar(&strategy, "strategy", "row", "isolation strategy of the reference service: "+strings.Join(store.Strategies(), ", "))
	c.Flags().StringVar(&fault, "fault", "", "plant this fault first and show its story; see 'partywall list faults'")
	c.Flags().StringVar(&o.backing, "backing", "embedded", "where Postgres, Redis and S3 come from: "+strings.Join(backing.Kinds(), ", "))
	return c
}

func runCommand() *cobra.Command {
	var o options
	var target string
	c := &cobra.Command{
		Use:   "run --target FILE.yaml",
		Short: "Attack a described service",
		Long: "Attack the service that a target file describes, or the bundled one with\n" +
			"--target reference[:STRATEGY[@REPLICAS]][+FAULT...].\n" +
			"See targets/examples for a target file.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if target == "" {
				return errors.New("say what to attack with --target FILE.yaml or --target reference")
			}
			return o.attack(c, target)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&target, "target", "", "a target file, or reference[:STRATEGY[@REPLICAS]][+FAULT...]")
	c.Flags().StringVar(&o.backing, "backing", "embedded", "of the reference service: "+strings.Join(backing.Kinds(), ", "))
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
	if !c.Flags().Changed("seed") {
		o.seed = rand.Int64N(1_000_000) + 1
	}
	if o.out == "" {
		o.out = filepath.Join("partywall-report", fmt.Sprintf("%s-%d", time.Now().UTC().Format("20060102-150405"), o.seed))
	}
	folder, err := reports.Create(o.out, reports.Header{Target: spec, Seed: o.seed, Spec: spec})
	if err != nil {
		return err
	}
	report, failed := o.run(ctx, c.ErrOrStderr(), open, harness.Config{Scenarios: chosen, Keep: folder.Keep})
	if report == nil {
		if err := folder.Abort(); err != nil {
			return errors.Join(failed, err)
		}
		return notBegun(c, failed)
	}
	report.Repeat = o.repeat(spec)
	document, kept := folder.Finish(report)
	if err := document.Render(c.OutOrStdout(), o.format); err != nil {
		return errors.Join(kept, err)
	}
	if kept != nil {
		return errors.Join(fmt.Errorf("the report in %s is incomplete: %w", o.out, kept), failed)
	}
	_, _ = fmt.Fprintf(c.ErrOrStderr(), "The report is in %s; open report.html there.\n", o.out)
	if failed != nil {
		return failed // the attack was over: closing the target failed
	}
	return exit(report.ExitCode(o.strict))
}

// run opens a target, attacks it and closes it. A report beside an error means that closing failed.
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
		cfg.Begin, cfg.Progress = p.begin, func(done, total int, c harness.Coverage) {
			if ctx.Err() == nil { // what is only skipped after an interruption is no progress
				p.cell(done, total, c)
			}
		}
	}
	return harness.Run(ctx, cfg)
}

// repeat is the command that repeats this run: every flag that decides what is sent, and what the outcome is.
func (o *options) repeat(spec string) string {
	parts := []string{"partywall run --target", quote(spec), fmt.Sprintf("--seed %d", o.seed)}
	for _, s := range o.scenarios {
		parts = append(parts, "--scenario", quote(s))
	}
	for _, h := range o.allowHosts {
		parts = append(parts, "--allow-host", quote(h))
	}
	if o.budget != defaultBudget {
		parts = append(parts, fmt.Sprintf("--budget %d", o.budget))
	}
	if o.rate != 0 {
		parts = append(parts, fmt.Sprintf("--rate %g", o.rate))
	}
	if o.strict {
		parts = append(parts, "--strict")
	}
	if o.backing != "embedded" {
		parts = append(parts, "--backing", o.backing)
	}
	return strings.Join(parts, " ")
}

// plainWord needs no quotes in any shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

func quote(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
