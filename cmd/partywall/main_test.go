package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reports"
)

// childEnv makes the test binary be the command itself, for what needs a process of its own.
const childEnv = "PARTYWALL_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command runs a command line in this process.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// TestBadInput: exit code 3, one sentence on standard error, nothing on standard output and nothing on disk.
func TestBadInput(t *testing.T) {
	base := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(base, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	example, err := os.ReadFile("../../targets/examples/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(envOperatorKey, "a key that opens nothing here")
	t.Setenv("REFERENCE_URL", "http://198.51.100.7:9")
	foreign := file("foreign.yaml", string(example))
	unset := file("unset.yaml", strings.ReplaceAll(string(example), "REFERENCE_URL", "NO_SUCH_VARIABLE"))
	unknown := file("unknown.yaml", string(example)+"\ncolour: blue\n")
	broken := file("broken.yaml", "version: [1\n")
	inTheWay := file("file", "")
	existing := filepath.Join(base, "existing")
	if err := os.Mkdir(existing, 0o700); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(base, "above", "out")
	for _, tc := range []struct {
		want string
		args []string
	}{
		{"--target", []string{"run"}},
		{"unknown flag", []string{"demo", "--no-such-flag"}},
		{"unknown command", []string{"attack"}},
		{"say what to list", []string{"list"}},
		{"no scenario matches", []string{"demo", "--scenario", "nothing/*", "--out", out}},
		{"no scenario matches", []string{"demo", "--scenario", "[", "--out", out}},
		{"no scenario matches", []string{"explain", "nothing"}},
		{"unknown isolation strategy", []string{"demo", "--strategy", "paper", "--out", out}},
		{"no such fault", []string{"demo", "--fault", "nothing", "--out", out}},
		{"exists in the strategy rls only", []string{"demo", "--fault", "rls-policy-true", "--out", out}},
		{"no such fault", []string{"run", "--target", "reference:rls+nothing", "--out", out}},
		{"backing", []string{"demo", "--backing", "clouds", "--out", out}},
		{"external backing is not configured", []string{"demo", "--backing", "external", "--out", out}},
		{"the format", []string{"demo", "--format", "xml", "--out", out}},
		{"--budget", []string{"demo", "--budget", "0", "--out", out}},
		{"no such file", []string{"run", "--target", "missing.yaml", "--out", out}},
		{"is no YAML", []string{"run", "--target", broken, "--out", out}},
		{`the key "colour" is unknown`, []string{"run", "--target", unknown, "--out", out}},
		{"${NO_SUCH_VARIABLE} is not set", []string{"run", "--target", unset, "--out", out}},
		{"the host is not allowed", []string{"run", "--target", foreign, "--out", out}},
		{"never overwritten", []string{"demo", "--out", existing}},
		{"cannot be made", []string{"demo", "--out", filepath.Join(inTheWay, "below")}},
		{"no report here", []string{"report", base}},
		{"no report here", []string{"judge", base}},
		{"no report here", []string{"replay", base}},
		{"no fault", []string{"matrix", "--fault", "nothing"}},
		{"listen on", []string{"serve", "--address", "256.0.0.1:1"}},
	} {
		code, stdout, stderr := command(t, tc.args...)
		if code != harness.ExitUsage || stdout != "" || !strings.Contains(stderr, tc.want) {
			t.Errorf("%q exits %d with %q on standard output and %q, want %q", tc.args, code, stdout, stderr, tc.want)
		}
		if strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q says more than one sentence: %q", tc.args, stderr)
		}
		if _, err := os.Stat(filepath.Dir(out)); err == nil {
			t.Errorf("%q left a folder behind", tc.args)
		}
	}
	t.Setenv("PARTYWALL_POSTGRES_BIN", base)
	if code, _, stderr := command(t, "demo", "--out", out); code != harness.ExitUsage || !strings.Contains(stderr, "no Postgres to be had") {
		t.Errorf("without a Postgres: exit %d, %q", code, stderr)
	}
}

// TestMatrix: the command proves one fault, and that nothing clean is accused.
func TestMatrix(t *testing.T) {
	code, stdout, stderr := command(t, "matrix", "--format", "json", "--strategy", "row", "--fault", "alg-none", "--scenario", "token/alg*")
	var got struct {
		Faults, Caught int
		Missed         []any
		FalseAlarms    []any `json:"false_alarms"`
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if code != 0 || got.Faults != 1 || got.Caught != 1 || got.Missed == nil || got.FalseAlarms == nil || len(got.Missed)+len(got.FalseAlarms) > 0 {
		t.Errorf("exit %d: %+v", code, got)
	}
	code, stdout, stderr = command(t, "matrix", "--quiet", "--strategy", "rls", "--fault", "read-by-id", "--scenario", "idor/read")
	if code != 0 || !strings.Contains(stdout, "| read-by-id | contained by row-level security |") || !strings.Contains(stdout, "0 missed") {
		t.Errorf("a fault that the only strategy contains: exit %d, %s%s", code, stdout, stderr)
	}
}

func TestLists(t *testing.T) {
	for what, member := range map[string]string{"scenarios": "claim", "faults": "mistake"} {
		code, stdout, _ := command(t, "list", what, "--format", "json")
		var rows []map[string]any
		if err := json.Unmarshal([]byte(stdout), &rows); err != nil || code != 0 {
			t.Fatalf("exit %d: %v", code, err)
		}
		_, text, _ := command(t, "list", what)
		if len(rows) < 16 || strings.Count(text, "\n") != len(rows) {
			t.Errorf("%d %s, and as text:\n%s", len(rows), what, text)
		}
		for _, r := range rows {
			if r["id"] == "" || r[member] == "" || r["refs"] == nil {
				t.Errorf("%v lacks something", r)
			}
			if what == "scenarios" {
				if code, stdout, _ := command(t, "explain", fmt.Sprint(r["id"])); code != 0 || !strings.Contains(stdout, "partywall demo --fault") {
					t.Errorf("explain %s exits %d: %s", r["id"], code, stdout)
				}
			}
		}
	}
}

// child starts the command as a process of its own.
func child(t *testing.T, env []string, args ...string) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), childEnv+"=1"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended long since when all went well
	return cmd, bufio.NewScanner(stdout), &stderr
}

// TestServeAndRun attacks the reference service in a second process through its target file.
func TestServeAndRun(t *testing.T) {
	t.Setenv(envOperatorKey, "an operator key of this test alone")
	server, lines, stderr := child(t, nil, "serve", "--address", "127.0.0.1:0", "--strategy", "rls")
	url := ""
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "serving "); ok {
			url, _, _ = strings.Cut(rest, " ")
			break
		}
	}
	if url == "" {
		t.Fatalf("it does not serve: %s", stderr)
	}
	t.Setenv("REFERENCE_URL", url)
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, errs := command(t, "run", "--target", "../../targets/examples/reference.yaml", "--out", out, "--quiet",
		"--scenario", "idor/read", "--scenario", "token/*", "--scenario", "lifecycle/*")
	if code != harness.ExitHeld {
		t.Errorf("exit %d: %s%s", code, stdout, errs)
	}
	evidence, err := os.ReadFile(filepath.Join(out, reports.EvidenceFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"an operator key of this test alone", "eyJhbGciOi"} {
		if bytes.Contains(evidence, []byte(secret)) {
			t.Errorf("the evidence holds %q", secret)
		}
	}
	answer, err := http.Get(url + "/healthz")
	if err != nil || answer.StatusCode != 200 {
		t.Errorf("after the run: %v", err)
	} else {
		_ = answer.Body.Close()
	}
	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("serve ends with %v: %s", err, stderr)
	}
}
