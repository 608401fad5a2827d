package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reports"
)

// TestDeadTarget: nobody listens, so the outcome is inconclusive, with a whole report.
func TestDeadTarget(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("REFERENCE_URL", "http://"+listener.Addr().String())
	t.Setenv(envOperatorKey, "a key that opens nothing here")
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, _ := command(t, "run", "--target", "../../targets/examples/reference.yaml", "--out", out, "--quiet")
	said := strings.Join(strings.Fields(stdout), " ") // lines are wrapped
	if code != harness.ExitInconclusive || !strings.Contains(said, "INCONCLUSIVE: Provision tenant") || !strings.Contains(said, "connection refused") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	if d, _, err := reports.Open(out); err != nil || d.Summary.Held != 0 {
		t.Errorf("the report: %v", err)
	}
	if code, stdout, stderr := command(t, "judge", out); code != harness.ExitInconclusive || !strings.Contains(stdout, "never ran") {
		t.Errorf("judged again: exit %d, %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := command(t, "replay", out); code != harness.ExitInconclusive || stdout != out+" holds no finding, so there is nothing to replay.\n" {
		t.Errorf("replayed: exit %d, %s%s", code, stdout, stderr)
	}
}

// TestRepeat: the command that repeats a run says all that decides about it, and a shell reads it as it was meant.
func TestRepeat(t *testing.T) {
	t.Setenv("REFERENCE_URL", "http://127.0.0.1:9")
	t.Setenv(envOperatorKey, "a key that opens nothing here")
	data, err := os.ReadFile("../../targets/examples/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a&b; (it's).yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := command(t, "run", "--target", file, "--seed", "0", "--budget", "300", "--rate", "2.5", "--strict", "--allow-host", "example.com:80",
		"--scenario", "idor/read", "--scenario", "token/*", "--out", filepath.Join(t.TempDir(), "out"))
	_, got, _ := strings.Cut(strings.TrimSpace(stdout), "Repeat: ")
	want := "partywall run --target '" + strings.ReplaceAll(file, "'", `'\''`) +
		"' --seed 0 --scenario idor/read --scenario 'token/*' --allow-host example.com:80 --budget 300 --rate 2.5 --strict"
	if code != harness.ExitInconclusive || got != want {
		t.Errorf("exit %d, repeat with\n%s\nwant\n%s\n%s", code, got, want, stderr)
	}
	words, err := exec.Command("sh", "-c", `printf '%s\n' `+got).Output()
	if err != nil || !strings.Contains(string(words), "\n"+file+"\n") {
		t.Errorf("a shell reads %s, %v", words, err)
	}
}

// TestBudget: what goes beyond the budget removes what was created, and the report says how much that was.
func TestBudget(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, _ := command(t, "demo", "--budget", "300", "--quiet", "--out", out)
	d, _, err := reports.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if code != harness.ExitInconclusive || d.BeyondBudget != d.Requests-300 || d.BeyondBudget <= 0 || !strings.Contains(stdout, "beyond the budget") {
		t.Errorf("exit %d, %d requests, %d beyond the budget: %s", code, d.Requests, d.BeyondBudget, stdout)
	}
	if !strings.Contains(stdout, "the request budget is spent") && !strings.Contains(stdout, "The request budget is spent") {
		t.Errorf("it does not say why: %s", stdout)
	}
	if len(d.Left) > 0 {
		t.Errorf("it left %+v", d.Left)
	}
}

// TestDemo: the main job exits 0 with every scenario held, and prints JSON as its schema says.
func TestDemo(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := command(t, "demo", "--format", "json", "--out", out, "--scenario", "idor/list", "--scenario", "cache/*")
	if code != harness.ExitHeld {
		t.Errorf("exit %d: %s", code, stderr)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../reports/schema/partywall-1.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(stdout))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
	if !strings.Contains(stderr, "Attacking reference:row") || !strings.Contains(stderr, "0 breached") || !strings.Contains(stderr, out) {
		t.Errorf("progress: %s", stderr)
	}
}
