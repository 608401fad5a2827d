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
	if err := errors.Join(target.Close(t.Context()), folder.Finish(report)); err != nil {
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

// TestSchema: what is written is what the published schema says.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("schema/partywall-1.json")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, path string, _ *harness.Report) {
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

// TestStoredEvidenceGivesTheSameVerdict: judging what was stored is judging what was live.
func TestStoredEvidenceGivesTheSameVerdict(t *testing.T) {
	each(t, func(t *testing.T, path string, live *harness.Report) {
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
	})
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
}

// TestScorecard: every line that a scenario speaks for is a line of the cheat sheet.
func TestScorecard(t *testing.T) {
	var lines []string
	for _, section := range reports.CheatSheet {
		lines = append(lines, section.Lines...)
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
		{Verdict: harness.Held, Refs: harness.Refs{CheatSheet: lines[:1]}}, {Verdict: harness.Breached, Refs: harness.Refs{CheatSheet: lines[:1]}},
		{Verdict: harness.Skipped, Refs: harness.Refs{CheatSheet: lines[1:2]}},
	}})
	if score[0].Verdict != "breached" || score[1].Verdict != reports.NotLookedAt {
		data, _ := json.Marshal(score[:2])
		t.Errorf("%s", data)
	}
}
