// Package laws_test holds the shape of the project: which package may know which. A linter says the same of direct
// imports while one types; this test says it of everything a package pulls in, however far.
package laws_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/partywall/partywall"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
	GoFiles    []string
}

// within says whether the package is one of the named folders or below.
func within(importPath string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return importPath == module+"/"+f || strings.HasPrefix(importPath, module+"/"+f+"/")
	})
}

func load(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps,GoFiles", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]pkg{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

// heavy are the packages that a user who only attacks over HTTP, or under go test, must never have to build.
var heavy = []string{
	"github.com/testcontainers", "github.com/docker", "github.com/moby", "github.com/jackc/pgx", "github.com/lib/pq", "database/sql",
	"github.com/redis", "github.com/alicebob/miniredis", "github.com/minio", "github.com/rclone/gofakes3", "github.com/tsenart/vegeta",
	"github.com/fergusstrange/embedded-postgres",
}

// laws: each says of one package and one other that it pulls in, or imports itself, why that may not be.
var laws = []struct {
	name   string
	holds  func(p string) bool           // the packages it is about
	breaks func(q string, std bool) bool // what they may not know
	direct bool                          // of what they import themselves only
}{
	{
		name:   "harness knows the standard library and itself",
		holds:  func(p string) bool { return within(p, "harness") },
		breaks: func(q string, std bool) bool { return !std && !within(q, "harness") },
	},
	{
		name: "partywalltest and targets/web pull in no container, database or load package",
		holds: func(p string) bool {
			return within(p, "partywalltest", "targets/web", "targets/local", "reports", "scenarios")
		},
		breaks: func(q string, _ bool) bool {
			return within(q, "reference", "load") || slices.ContainsFunc(heavy, func(h string) bool { return q == h || strings.HasPrefix(q, h+"/") || strings.HasPrefix(q, h+"-") })
		},
	},
	{
		name:   "a scenario knows verbs, not services",
		holds:  func(p string) bool { return within(p, "scenarios") },
		breaks: func(q string, _ bool) bool { return within(q, "targets", "reference", "cmd") },
	},
	{
		name:  "the reference service knows nothing that attacks",
		holds: func(p string) bool { return within(p, "reference") },
		breaks: func(q string, _ bool) bool {
			return within(q, "harness", "scenarios", "targets", "load", "fuzz", "reports", "partywalltest")
		},
	},
	{
		name:   "the good code holds no trace of a fault",
		holds:  func(p string) bool { return within(p, "reference") && !within(p, "reference/faults") },
		breaks: func(q string, _ bool) bool { return within(q, "reference/faults") },
	},
	{
		name: "parts know the tenant and their driver, not each other",
		holds: func(p string) bool {
			return !strings.HasSuffix(p, "test") && within(p, "reference/store", "reference/cache", "reference/blobs", "reference/ratelimit", "reference/fairshare", "reference/signing",
				"reference/events", "reference/jobs", "reference/webhooks", "reference/logging", "reference/monitor", "reference/metrics")
		},
		breaks: func(q string, _ bool) bool { return within(q, "reference") && !within(q, "reference/tenant") },
		direct: true,
	},
	{
		name: "tests stay in tests",
		holds: func(p string) bool {
			return strings.HasPrefix(p, module) && !strings.HasSuffix(p, "test") && !within(p, "fuzz")
		},
		breaks: func(q string, _ bool) bool { return q == "testing" },
		direct: true,
	},
}

func TestLaws(t *testing.T) {
	packages := load(t)
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			looked := 0
			for name, p := range packages {
				if !law.holds(name) {
					continue
				}
				known := p.Deps
				if law.direct {
					known = p.Imports
				}
				looked += len(known)
				for _, q := range known {
					if q != name && law.breaks(q, packages[q].Standard) {
						t.Errorf("%s knows %s", name, q)
					}
				}
			}
			if looked == 0 {
				t.Error("the law is about nothing")
			}
		})
	}
}

// TestNames: a name says what a package is for.
func TestNames(t *testing.T) {
	for name := range load(t) {
		if !strings.HasPrefix(name, module) {
			continue
		}
		switch path.Base(name) {
		case "util", "utils", "common", "types", "helper", "helpers", "misc", "pkg":
			t.Errorf("%s says nothing", name)
		}
	}
}
