package partywalltest_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
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
		return
	}
	folder := filepath.Join(t.TempDir(), "report")
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
	if d, _, err := reports.Open(folder); err != nil || d.Summary.Breached == 0 {
		t.Errorf("the report: %v", err)
	}
}

// The test of a service of your own: describe what it offers, say how a tenant is made, and attack.
func Example() {
	test := func(t *testing.T) { // func TestIsolation(t *testing.T)
		partywalltest.Handler(t, http.NewServeMux(), partywalltest.Config{
			Surface: harness.Surface{Resources: []harness.Resource{{
				Name:   "notes",
				ID:     harness.Locator{Pointer: "/id"},
				Fields: []harness.Field{{Name: "text"}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "POST", Path: "/notes", Body: harness.Body{Kind: "json", Value: map[string]any{"text": "{text}"}}},
					{Verb: harness.Read, Method: "GET", Path: "/notes/{id}"},
					{Verb: harness.List, Method: "GET", Path: "/notes"},
					{Verb: harness.Delete, Method: "DELETE", Path: "/notes/{id}"},
				},
			}}},
			Provision: func(_ context.Context, _ *http.Client, _, name string) (harness.Tenant, error) {
				id, token := "id of the new tenant "+name, "token of its first user" // made by your service
				return harness.Tenant{ID: id, Name: name, Principals: []harness.Principal{{Name: "alice", Credential: harness.Bearer(token)}}}, nil
			},
		})
	}
	_ = test
	// Output:
}
