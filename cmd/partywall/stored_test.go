package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reports"
)

// TestFinding goes through the life of a finding: seen, judged again, still there, fixed.
func TestFinding(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, _ := command(t, "run", "--target", "reference+read-by-id", "--scenario", "idor/re*", "--seed", "9", "--quiet", "--out", out)
	if code != harness.ExitBreached || !strings.Contains(stdout, "BREACH 1: idor/read on documents") || strings.Contains(stdout, "BREACH 2") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	if !strings.Contains(stdout, "partywall run --target reference+read-by-id --seed 9 --scenario 'idor/re*'\n") {
		t.Errorf("no command to repeat: %s", stdout)
	}
	if code, stdout, _ := command(t, "judge", out); code != harness.ExitBreached || !strings.Contains(stdout, "idor/read/documents/a-b: breached (was breached)") {
		t.Errorf("judge exits %d: %s", code, stdout)
	}
	if code, stdout, _ := command(t, "report", out, "--format", "html"); code != 0 || !strings.Contains(stdout, "The wall was breached.") {
		t.Errorf("report exits %d: %s", code, stdout)
	}
	if code, stdout, stderr := command(t, "replay", out); code != harness.ExitBreached || !strings.Contains(stdout, "still breached (6 of 6 times)") {
		t.Errorf("replay exits %d: %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := command(t, "replay", out, "--target", "reference:rls+read-by-id"); code != harness.ExitHeld || !strings.Contains(stdout, "fixed") {
		t.Errorf("replay behind row-level security exits %d: %s%s", code, stdout, stderr)
	}
	if code, _, stderr := command(t, "replay", out, "--finding", "0123456789abcdef"); code != harness.ExitUsage || !strings.Contains(stderr, "no finding with the fingerprint 0123456789abcdef") {
		t.Errorf("replay of nothing exits %d: %s", code, stderr)
	}
	if err := os.Remove(filepath.Join(out, reports.JSONFile)); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := command(t, "judge", out); code != harness.ExitBreached || !strings.Contains(stdout, "a-b: breached") || !strings.Contains(stdout, "there is no report to say") {
		t.Errorf("judge of evidence alone exits %d: %s%s", code, stdout, stderr)
	}
}

// TestNow: a finding is fixed when every cell in which it showed holds, and no sooner.
func TestNow(t *testing.T) {
	story := reports.Story{Times: 2, Finding: harness.Finding{Fingerprint: "f"}, Cells: []string{"s/r/a-b", "s/r/anonymous-b"}}
	report := func(first, second harness.Verdict, prints ...string) *harness.Report {
		cell := func(attacker string, v harness.Verdict) harness.Coverage {
			return harness.Coverage{Scenario: "s", Resource: "r", Attacker: attacker, Victim: "b", Verdict: v, Reason: "because"}
		}
		r := &harness.Report{Coverage: []harness.Coverage{cell("a", first), cell("c", harness.Breached)}, Results: []harness.Result{{}}}
		if second != "" {
			r.Coverage = append(r.Coverage, cell("anonymous", second))
		}
		for _, p := range prints {
			r.Results[0].Findings = append(r.Results[0].Findings, harness.Finding{Fingerprint: p})
		}
		return r
	}
	for name, tc := range map[string]struct {
		report *harness.Report
		want   string
		code   int
	}{
		"all held":        {report(harness.Held, harness.Held), "fixed", harness.ExitHeld},
		"one still":       {report(harness.Held, harness.Breached, "f"), "still breached (1 of 2 times)", harness.ExitBreached},
		"another way":     {report(harness.Held, harness.Breached, "g"), "breached in another way: because", harness.ExitBreached},
		"one not seen":    {report(harness.Held, harness.Inconclusive), "error: because", harness.ExitInconclusive},
		"one not offered": {report(harness.Held, ""), "error: the target offers only 1 of the 2 cells", harness.ExitInconclusive},
		"one skipped":     {report(harness.Held, harness.Skipped), "error: the target offers only 1 of the 2 cells", harness.ExitInconclusive},
	} {
		if got, code := now(tc.report, story); !strings.HasPrefix(got, tc.want) || code != tc.code {
			t.Errorf("%s: %q and exit %d, want %q and %d", name, got, code, tc.want, tc.code)
		}
	}
}

// TestNoSpace: a full disk costs the report, not the verdict; what was kept says that it is not whole, and can be judged.
func TestNoSpace(t *testing.T) {
	small := t.TempDir()
	if err := syscall.Mount("none", small, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(small, 0); err != nil {
			t.Error(err)
		}
	}()
	out := filepath.Join(small, "out")
	code, stdout, stderr := command(t, "demo", "--scenario", "idor/read", "--quiet", "--out", out)
	if code != harness.ExitUsage || !strings.Contains(stdout, "Results: ") || !strings.Contains(stdout, "The run ended early: ") ||
		!strings.Contains(stderr, "is incomplete: ") || !strings.Contains(stderr, "no space left") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	for _, name := range []string{reports.MarkFile, reports.EvidenceFile} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	code, stdout, stderr = command(t, "judge", out)
	if code != harness.ExitInconclusive || !strings.Contains(stdout, "broken off") || strings.Contains(stdout, "\n0 cells") {
		t.Errorf("judge exits %d: %s%s", code, stdout, stderr)
	}
}
