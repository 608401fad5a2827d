// Command partywall attacks the wall between the tenants of a multi-tenant service, and reports with evidence whether it
// held.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/partywall/partywall/harness"
)

func main() {
	// The first signal ends a run in good order; a second one ends the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// exitCode is an outcome that is no error: the command did what it was asked to.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// run executes a command line and returns the exit code of the contract.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "partywall",
		Short: "Adversarial isolation testing for multi-tenant services",
		Long: "Partywall attacks the wall between the tenants of a service and reports, with evidence, whether it held.\n\n" +
			"Exit codes: 0 everything that could be looked at held, 1 breached, 2 inconclusive or interrupted, 3 usage or internal error.",
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(demoCommand(), runCommand(), listCommand(), explainCommand(), matrixCommand(), replayCommand(), judgeCommand(),
		reportCommand(), serveCommand())
	err := root.ExecuteContext(ctx)
	var code exitCode
	switch {
	case err == nil:
		return harness.ExitHeld
	case errors.As(err, &code):
		return int(code)
	default:
		_, _ = fmt.Fprintf(stderr, "partywall: %s\n", sentence(err)) // there is nowhere left to complain
		return harness.ExitUsage
	}
}

// sentence makes one line of an error, and says where to look when the command line was not understood.
func sentence(err error) string {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	for _, usage := range []string{"unknown flag", "unknown command", "unknown shorthand", "flag needs", "invalid argument", "accepts "} {
		if strings.HasPrefix(text, usage) {
			return text + "; see partywall --help"
		}
	}
	return text
}

// exit turns a report's code into what a command returns.
func exit(code int) error {
	if code == harness.ExitHeld {
		return nil
	}
	return exitCode(code)
}

// notBegun is the error of what kept a command from doing its work. Where that was a signal, it is an outcome: there is nothing that
// the user should set right.
func notBegun(c *cobra.Command, err error) error {
	if c.Context().Err() == nil {
		return err
	}
	_, _ = fmt.Fprintln(c.ErrOrStderr(), "partywall: interrupted before it began")
	return exitCode(harness.ExitInconclusive)
}
