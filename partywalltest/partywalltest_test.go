package partywalltest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness/specimen"
	"github.com/partywall/partywall/partywalltest"
	"github.com/partywall/partywall/reports"
)

func config(s specimen.Specimen, patterns ...string) partywalltest.Config {
	return partywalltest.Config{Surface: s.Surface, Provision: s.Provision, Scenarios: patterns}
}

// TestCorrect: services that isolate properly pass.
func TestCorrect(t *testing.T) {
	for _, s := range specimen.All(false) {
		t.Run(s.Name, func(t *testing.T) { partywalltest.Handler(t, s.Handler, config(s)) })
	}
}

// TestBroken runs itself in a child, where it must fail and say why.
func TestBroken(t *testing.T) {
	s := specimen.Nested(true)
	if os.Getenv("PARTYWALL_TEST_CHILD") != "" {
		partywalltest.Handler(t, s.Handler, config(s, "idor/read", "lifecycle/*"))
		t.Run("a/sub test", func(t *testing.T) { partywalltest.Handler(t, s.Handler, config(s, "idor/read")) })
		partywalltest.Handler(t, s.Handler, config(s, "idor/read"))
		return
	}
	folder := filepath.Join(t.TempDir(), "reports")
	child := exec.Command(os.Args[0], "-test.run=^TestBroken$", "-test.v")
	child.Env = append(os.Environ(), "PARTYWALL_TEST_CHILD=1", partywalltest.EnvSeed+"=42", partywalltest.EnvOut+"="+folder)
	out, err := child.CombinedOutput()
	if err == nil {
		t.Errorf("the child passed")
	}
	for _, want := range []string{
		"--- FAIL: TestBroken/idor/read/tasks", "a foreign id reads nothing", "curl --path-as-is", "seed 42",
		"--- PASS: TestBroken/idor/read/projects", "the target cannot end a tenant",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	for _, name := range []string{"TestBroken", "TestBroken_a_sub_test", "TestBroken-2"} {
		if d, _, err := reports.Open(filepath.Join(folder, name)); err != nil || d.Summary.Breached == 0 {
			t.Errorf("the report: %v", err)
		}
	}
}
