package laws_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/partywall/partywall/reports"
)

const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestMatrixInReadme: the table that README shows is the golden one.
func TestMatrixInReadme(t *testing.T) {
	if !strings.Contains(read(t, "README.md"), read(t, "targets/reference/testdata/matrix.md")) {
		t.Error("README.md shows another table than targets/reference/testdata/matrix.md; copy it")
	}
}

// TestCheatSheetTable: ARCHITECTURE.md has a row for each line of the cheat sheet, and every file and test it names is there.
func TestCheatSheetTable(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "ARCHITECTURE.md"), "| section | line | where | test |")
	for _, section := range reports.CheatSheet {
		for _, line := range section.Lines {
			if !strings.Contains(table, "| "+line) {
				t.Errorf("no row for %q", line)
			}
		}
	}
	file := regexp.MustCompile("`([a-z_/]+\\.go)`")
	testName := regexp.MustCompile("`([a-z_/]+_test\\.go)` (Test[A-Za-z]+)")
	looked := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, " | ")
		if len(cells) < 4 || strings.HasPrefix(row, "|---") {
			continue
		}
		looked++
		names := file.FindAllStringSubmatch(row, -1)
		for _, m := range names {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("a row names %s: %v", m[1], err)
			}
		}
		tests := testName.FindAllStringSubmatch(cells[3], -1)
		for _, m := range tests {
			if !strings.Contains(read(t, m[1]), "func "+m[2]+"(") {
				t.Errorf("%s has no %s", m[1], m[2])
			}
		}
		if nothing := strings.HasPrefix(cells[2], "*not yet*"); nothing != (len(names) == 0) || nothing != (len(tests) == 0) {
			t.Errorf("a row must name a file and a test, or say that there is nothing yet: %s", row)
		}
	}
	if looked < 70 {
		t.Errorf("only %d rows", looked)
	}
}

// TestLinks: what the pages link to is there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	for _, page := range []string{"README.md", "ARCHITECTURE.md", "CHANGELOG.md"} {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}

// TestDependencies: each library that the module asks for itself stands in the table of ARCHITECTURE.md, which says why.
func TestDependencies(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "ARCHITECTURE.md"), "## Dependencies")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.Lines(read(t, "go.mod")) {
		module, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(line, "\t") || strings.Contains(line, "// indirect") {
			continue
		}
		name := regexp.MustCompile(`/v[0-9]+$`).ReplaceAllString(strings.TrimPrefix(module, "github.com/"), "")
		if name = strings.TrimSuffix(strings.TrimSuffix(name, "/api"), "/client"); !strings.Contains(table, strings.TrimPrefix(name, "golang-jwt/")) {
			t.Errorf("the table of dependencies does not say why %s is needed", module)
		}
	}
}

// TestMap: each package stands on the map of ARCHITECTURE.md.
func TestMap(t *testing.T) {
	_, drawn, _ := strings.Cut(read(t, "ARCHITECTURE.md"), "```\n")
	drawn, _, _ = strings.Cut(drawn, "```")
	for _, top := range []string{"cmd", "partywalltest", "targets", "reports", "scenarios", "harness", "reference", "internal", "fuzz", "load"} {
		sources, _ := filepath.Glob(filepath.Join(root, top, "*", "*.go")) // the pattern is ours and well-formed
		deeper, _ := filepath.Glob(filepath.Join(root, top, "*", "*", "*.go"))
		for _, source := range append(sources, deeper...) {
			folder := filepath.Base(filepath.Dir(source))
			if !strings.Contains(source, "testdata") && !regexp.MustCompile(`\b`+folder+`\b`).MatchString(drawn) {
				t.Errorf("the map lacks %s", filepath.Dir(source))
			}
		}
	}
}
