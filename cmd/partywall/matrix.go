package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/matrix"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/reference"
)

func matrixCommand() *cobra.Command {
	var strategies, faults, globs []string
	var kind, format string
	var seed int64
	var full, quiet bool
	c := &cobra.Command{
		Use: "matrix", Short: "Prove the harness: every planted fault against the scenarios, in every strategy",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if format != "text" && format != "json" {
				return fmt.Errorf("the format %q is unknown; use text or json", format)
			}
			for _, s := range strategies {
				if _, err := store.Migration(s); err != nil {
					return err
				}
			}
			chosen, err := scenarios.Select(globs...)
			if err != nil {
				return err
			}
			engine, err := backing.Open(c.Context(), kind)
			if err != nil {
				return notBegun(c, err)
			}
			defer func() { err = errors.Join(err, engine.Close()) }()
			subjects := reference.Subjects(engine, strategies, full)
			if len(faults) > 0 {
				subjects = slices.DeleteFunc(subjects, func(s matrix.Subject) bool { return s.Fault != "" && !slices.Contains(faults, s.Fault) })
				for _, f := range faults {
					if !slices.ContainsFunc(subjects, func(s matrix.Subject) bool { return s.Fault == f }) {
						return fmt.Errorf("no fault %q applies to %s; see partywall list faults", f, strings.Join(strategies, ", "))
					}
				}
			}
			report, err := matrix.Run(c.Context(), matrix.Config{
				Subjects: subjects, Scenarios: chosen, Seed: seed, Full: full, Progress: matrixProgress(c.ErrOrStderr(), quiet),
			})
			if err != nil && c.Context().Err() == nil {
				return err
			}
			if format == "json" {
				if err := writeJSON(c.OutOrStdout(), report); err != nil {
					return err
				}
			} else if _, err := io.WriteString(c.OutOrStdout(), report.Markdown()); err != nil {
				return err
			}
			return exit(matrixCode(c.Context(), report))
		},
	}
	f := c.Flags()
	f.StringSliceVar(&strategies, "strategy", store.Strategies(), "strategies to go through")
	f.StringSliceVar(&faults, "fault", nil, "only these faults, beside the clean service")
	f.StringArrayVar(&globs, "scenario", nil, "only the scenarios that match this `GLOB` (repeatable); faults that only others catch are missed then")
	f.StringVar(&kind, "backing", "embedded", "where Postgres, Redis and S3 come from: "+strings.Join(backing.Kinds(), ", "))
	f.StringVar(&format, "format", "text", "text or json")
	f.Int64Var(&seed, "seed", 1, "seed of everything random")
	f.BoolVar(&full, "full", false, "run every scenario in every cell, and every fault in every strategy")
	f.BoolVar(&quiet, "quiet", false, "no progress on standard error")
	return c
}

func matrixCode(ctx context.Context, r *matrix.Report) int {
	switch {
	case !r.OK():
		return harness.ExitBreached
	case ctx.Err() != nil:
		return harness.ExitInconclusive
	default:
		return harness.ExitHeld
	}
}

func matrixProgress(stderr io.Writer, quiet bool) func(int, int, matrix.Cell) {
	if quiet {
		return nil
	}
	return func(done, total int, c matrix.Cell) {
		name := c.Fault
		if name == "" {
			name = "no fault"
		}
		by := strings.Join(c.CaughtBy, ", ")
		if by != "" {
			by = " by " + by
		}
		_, _ = fmt.Fprintf(stderr, "%d of %d: %s, %s: %s%s (%d ms)\n", done, total, c.Strategy, name, c.Outcome, by, c.FirstMS)
	}
}
