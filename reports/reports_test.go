package reports_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/specimen"
	"github.com/partywall/partywall/reports"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/local"
)

// stored runs all scenarios against a specimen and returns the folder and the live report.
func stored(t *testing.T, s specimen.Specimen) (string, *harness.Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "deep", "report")
	folder, err := reports.Create(path, reports.Header{Target: s.Name, Seed: 5, Spec: s.Name})
	if err != nil {
		t.Fatal(err)
	}
	target, err := local.Open(local.Config{Name: s.Name, Handler: s.Handler, Surface: s.Surface, Provision: s.Provision})
	if err != nil {
		t.Fatal(err)
	}
	report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: scenarios.All(), Seed: 5, Keep: folder.Keep})
	if err != nil {
		t.Fatal(err)
	}
	_, err = folder.Finish(report)
	if err := errors.Join(err, target.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return path, report
}

func each(t *testing.T, test func(t *testing.T, path string, live *harness.Report)) {
	for _, broken := range []bool{false, true} {
		for _, s := range specimen.All(broken) {
			name := s.Name + "/correct"
			if broken {
				name = s.Name + "/broken"
			}
			t.Run(name, func(t *testing.T) {
				path, live := stored(t, s)
				test(t, path, live)
			})
		}
	}
}

// TestFolder: what is written is what the published schema says, and judging what was stored is judging what was live.
func TestFolder(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("schema/partywall-1.json")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, path string, live *harness.Report) {
		sameVerdicts(t, path, live)
		data, err := os.ReadFile(filepath.Join(path, reports.JSONFile))
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Error(err)
		}
	})
}

func sameVerdicts(t *testing.T, path string, live *harness.Report) {
	t.Helper()
	worst := map[string]harness.Verdict{}
	findings := map[string]int{}
	_, err := reports.Each(path, func(r reports.Record) error {
		if r.Verdict == "" {
			return nil
		}
		chosen, err := scenarios.Select(r.Cell.Scenario)
		if err != nil {
			return err
		}
		verdict, _, found := harness.JudgeHistory(r.History, chosen[0].Judge)
		if verdict != r.Verdict {
			t.Errorf("%s was %s, and is %s when judged again", r.Cell.ID, r.Verdict, verdict)
		}
		key := r.Cell.Scenario + " " + r.Cell.Resource
		if worst[key] == "" {
			worst[key] = harness.Skipped
		}
		worst[key] = worst[key].Worse(verdict)
		findings[key] += len(found)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range live.Results {
		key := r.Scenario + " " + r.Resource
		if r.Verdict != harness.Skipped && (worst[key] != r.Verdict || findings[key] != len(r.Findings)) {
			t.Errorf("%s: live %s with %d findings, stored %s with %d", key, r.Verdict, len(r.Findings), worst[key], findings[key])
		}
	}
}

// TestRenderings: every form names every breach, shows the marked canary, and loads nothing from elsewhere.
func TestRenderings(t *testing.T) {
	path, live := stored(t, specimen.Envelope(true))
	if live.Summary.Breached == 0 {
		t.Fatal("the broken specimen was not breached")
	}
	d, header, err := reports.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if header.Seed != 5 || len(d.Stories) == 0 {
		t.Errorf("header %+v, %d stories", header, len(d.Stories))
	}
	for _, format := range reports.Formats() {
		var b bytes.Buffer
		if err := d.Render(&b, format); err != nil {
			t.Fatal(err)
		}
		for _, s := range d.Stories {
			if !strings.Contains(b.String(), s.Scenario) || !strings.Contains(b.String(), s.Finding.Fingerprint) {
				t.Errorf("%s does not name %s", format, s.Scenario)
			}
		}
		if format == "html" {
			page := b.String()
			if !strings.Contains(page, "<mark>") || strings.Contains(page, "<script") || strings.Contains(page, "src=") || strings.Contains(page, "@import") {
				t.Error("the page marks nothing, or loads something")
			}
		}
	}
	if err := d.Render(&bytes.Buffer{}, "xml"); err == nil {
		t.Error("an unknown format is no error")
	}
}

func TestFolders(t *testing.T) {
	base := t.TempDir()
	folder, err := reports.Create(filepath.Join(base, "a"), reports.Header{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reports.Create(filepath.Join(base, "a"), reports.Header{}); !errors.Is(err, reports.ErrExists) {
		t.Errorf("an existing folder: %v", err)
	}
	if err := folder.Abort(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(base); len(left) != 0 {
		t.Errorf("aborting left %v", left)
	}
	if _, _, err := reports.Open(base); !errors.Is(err, reports.ErrNoReport) {
		t.Errorf("a folder without a report: %v", err)
	}
	deep, err := reports.Create(filepath.Join(base, "above", "below", "b"), reports.Header{})
	if err != nil {
		t.Fatal(err)
	}
	beside, err := reports.Create(filepath.Join(base, "above", "c"), reports.Header{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(deep.Abort(), beside.Abort()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Join(base, "above")); len(left) != 0 {
		t.Errorf("aborting left %v", left)
	}
}

// TestBrokenOff: what a run wrote until it was broken off can be read, and says that it is not whole.
func TestBrokenOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report")
	folder, err := reports.Create(path, reports.Header{Target: "x", Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"one", "two"} {
		if err := folder.Keep(&harness.History{Cell: harness.Cell{ID: id}}, harness.Held); err != nil {
			t.Fatal(err)
		}
	}
	// Nothing was finished or closed: so it looks after a kill -9.
	if _, err := os.Stat(filepath.Join(path, reports.MarkFile)); err != nil {
		t.Error("nothing says that the report is not whole")
	}
	if _, _, err := reports.Open(path); !errors.Is(err, reports.ErrNoReport) || !strings.Contains(err.Error(), "partywall judge") {
		t.Errorf("the report of a broken run: %v", err)
	}
	read := func() (ids []string, err error) {
		h, err := reports.Each(path, func(r reports.Record) error {
			ids = append(ids, r.Cell.ID)
			return nil
		})
		if h.Seed != 7 {
			t.Errorf("header %+v", h)
		}
		return ids, err
	}
	if ids, err := read(); err != nil || !slices.Equal(ids, []string{"one", "two"}) {
		t.Errorf("the evidence holds %v, %v", ids, err)
	}
	evidence := filepath.Join(path, reports.EvidenceFile)
	info, err := os.Stat(evidence)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(evidence, info.Size()-20); err != nil {
		t.Fatal(err)
	}
	if ids, err := read(); !errors.Is(err, reports.ErrTruncated) || !slices.Equal(ids, []string{"one"}) {
		t.Errorf("the cut evidence holds %v, %v", ids, err)
	}
}

// TestWhole: a report that could be written says so by what it lacks.
func TestWhole(t *testing.T) {
	path, _ := stored(t, specimen.Envelope(false))
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{reports.EvidenceFile, reports.HTMLFile, reports.JSONFile, reports.TextFile}; !slices.Equal(names, want) {
		t.Errorf("the folder holds %v, want %v", names, want)
	}
}

// TestScorecard: the scorecard has every line of the cheat sheet, in its order, and every line that a scenario speaks for is
// one of them.
func TestScorecard(t *testing.T) {
	var lines []string
	for _, section := range reports.CheatSheet {
		lines = append(lines, section.Lines...)
	}
	text, err := os.ReadFile("testdata/cheat-sheet.txt")
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for want := range strings.Lines(string(text)) {
		if want = strings.TrimSpace(want); strings.HasPrefix(want, "# ") {
			continue
		}
		if i == len(lines) || want != lines[i] && !strings.HasPrefix(want, lines[i]+": ") {
			t.Fatalf("the scorecard lacks %q, or has it elsewhere", want)
		}
		i++
	}
	if i < len(lines) || i < 70 {
		t.Errorf("the scorecard has %d lines, the cheat sheet %d", len(lines), i)
	}
	for _, s := range scenarios.All() {
		for _, line := range s.Refs.CheatSheet {
			if !slices.Contains(lines, line) {
				t.Errorf("%s speaks for %q, which the cheat sheet does not say", s.ID, line)
			}
		}
		if len(s.Refs.CheatSheet) == 0 || len(s.Refs.CWE) == 0 || s.Why == "" || s.Fix == "" || s.Claim == "" {
			t.Errorf("%s does not say what it is for", s.ID)
		}
	}
	score := reports.Score(&harness.Report{Results: []harness.Result{
		{Verdict: harness.Held, Refs: harness.Refs{CheatSheet: lines[:1]}},
		{Verdict: harness.Breached, Refs: harness.Refs{CheatSheet: lines[:1]}},
		{Verdict: harness.Skipped, Refs: harness.Refs{CheatSheet: lines[1:2]}},
	}})
	if score[0].Verdict != "breached" || score[1].Verdict != reports.NotLookedAt {
		data, _ := json.Marshal(score[:2])
		t.Errorf("%s", data)
	}
}
