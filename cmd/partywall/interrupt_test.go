package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reports"
)

// TestInterrupt: Ctrl-C stops the attack and still writes the evidence so far; kill -9 leaves nothing running. Both leave
// no folder of the engine behind, and neither does a signal that comes while the engine starts.
func TestInterrupt(t *testing.T) {
	for name, signal := range map[string]os.Signal{"interrupt": os.Interrupt, "kill": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			temp, out := shared(t), filepath.Join(t.TempDir(), "above", "out")
			cmd, lines := demo(t, temp, out)
			signalled := false
			for lines.Scan() {
				if !signalled && strings.Contains(lines.Text(), " cells, ") { // a second signal would end it at once
					signalled = true
					if err := cmd.Process.Signal(signal); err != nil {
						t.Fatal(err)
					}
				}
				var done, total int
				if _, err := fmt.Sscanf(lines.Text(), "%d of %d cells", &done, &total); err == nil && done == total {
					t.Errorf("it claims to have finished: %s", lines.Text())
				}
			}
			_ = cmd.Wait() // the exit code is looked at below
			if name == "interrupt" {
				d, _, err := reports.Open(out)
				if cmd.ProcessState.ExitCode() != harness.ExitInconclusive || err != nil || d.Interrupted == "" || d.Requests == 0 {
					t.Errorf("exit %d, report %+v, %v", cmd.ProcessState.ExitCode(), d, err)
				}
				cells := 0
				if _, err := reports.Each(out, func(reports.Record) error { cells++; return nil }); err != nil || cells == 0 {
					t.Errorf("the evidence holds %d cells, %v", cells, err)
				}
			}
			awaitEmpty(t, temp)
		})
		t.Run(name+" while the engine starts", func(t *testing.T) {
			temp, out := shared(t), filepath.Join(t.TempDir(), "above", "out")
			cmd, lines := demo(t, temp, out)
			awaitFile(t, filepath.Join(temp, "partywall-pg-*", "data", "*"))
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			said := ""
			for lines.Scan() {
				said += lines.Text() + "\n"
			}
			_ = cmd.Wait() // the exit code is looked at below
			if name == "interrupt" {
				if code := cmd.ProcessState.ExitCode(); code != harness.ExitInconclusive || said != "partywall: interrupted before it began\n" {
					t.Errorf("exit %d: %s", code, said)
				}
				if _, err := os.Stat(filepath.Dir(out)); err == nil {
					t.Error("it left a report of nothing behind")
				}
			}
			awaitEmpty(t, temp)
		})
	}
}

// shared makes a folder for temporary files that is as open as /tmp: Postgres runs as another user when we are root.
func shared(t *testing.T) string {
	t.Helper()
	temp, err := os.MkdirTemp("", "pw-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	if err := os.Chmod(temp, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return temp
}

// demo starts the main job as a process of its own, and returns what it says on standard error.
func demo(t *testing.T, temp, out string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "demo", "--out", out)
	cmd.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+temp)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended long since when all went well
	return cmd, bufio.NewScanner(stderr)
}

func awaitFile(t *testing.T, pattern string) {
	t.Helper()
	poll, late := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer poll.Stop()
	for {
		if found, err := filepath.Glob(pattern); err != nil || len(found) > 0 {
			return
		}
		select {
		case <-late:
			t.Fatalf("nothing like %s comes to be", pattern)
		case <-poll.C:
		}
	}
}

// awaitEmpty waits for the supervisor of a killed process, which needs a moment to end Postgres and remove its folder.
func awaitEmpty(t *testing.T, folder string) {
	t.Helper()
	poll, late := time.NewTicker(20*time.Millisecond), time.After(30*time.Second)
	defer poll.Stop()
	for {
		left, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-late:
			t.Fatalf("%v is left behind", left)
		case <-poll.C:
		}
	}
}
