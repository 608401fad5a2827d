package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/partywall/partywall/harness"
)

// A Document is a report with what renderers add to it.
type Document struct {
	*harness.Report
	Scorecard []ScoreLine `json:"scorecard"`
	// Stories of the breaches: one for each kind of mistake, however many pairs of tenants it showed on.
	Stories []Story `json:"-"`
	path    string
}

// A Story is one kind of breach, with the exchanges that prove it beside the control.
type Story struct {
	harness.Result
	Finding harness.Finding
	// Pairs of tenants on which the same mistake showed.
	Pairs   int
	Control *harness.Exchange
	Proof   []*harness.Exchange
	// Leaked are the victim's tokens that stand in the proof.
	Leaked []string
}

// NewDocument reads what the stories need from the folder's evidence. An empty path means that no evidence was kept.
func NewDocument(path string, r *harness.Report) (*Document, error) {
	d := &Document{Report: r, Scorecard: Score(r), path: path}
	for _, result := range r.Results {
		for _, finding := range result.Findings {
			i := slices.IndexFunc(d.Stories, func(s Story) bool {
				return s.Finding.Fingerprint == finding.Fingerprint && s.Scenario == result.Scenario && s.Resource == result.Resource
			})
			if i >= 0 {
				d.Stories[i].Pairs++
				continue
			}
			d.Stories = append(d.Stories, Story{Result: result, Finding: finding, Pairs: 1})
		}
	}
	if path == "" || len(d.Stories) == 0 {
		return d, nil
	}
	_, err := Each(path, func(record Record) error {
		for i := range d.Stories {
			d.Stories[i].take(record.History)
		}
		return nil
	})
	return d, err
}

// take picks the exchanges that the story's finding names from the history of its cell.
func (s *Story) take(h *harness.History) {
	for _, e := range h.Exchanges {
		if !slices.Contains(s.Finding.Evidence, e.ID) {
			continue
		}
		s.Proof = append(s.Proof, e)
		for _, t := range h.Tokens {
			if t.Owner == s.Finding.Victim && bytes.Contains(e.Response.Body, []byte(t.Value)) && !slices.Contains(s.Leaked, t.Value) {
				s.Leaked = append(s.Leaked, t.Value)
			}
		}
		if s.Control != nil {
			continue
		}
		for _, c := range h.Exchanges {
			// The same request by its rightful owner; else the first control that shows that owners succeed.
			if c.Purpose == harness.Control && (s.Control == nil || c.Verb == e.Verb && c.Tenant == s.Finding.Victim) {
				s.Control = c
			}
		}
	}
}

// JSON writes the report in its published form.
func (d *Document) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

// Formats that Render knows.
func Formats() []string { return []string{"text", "json", "html"} }

// Render writes the document in one of the formats.
func (d *Document) Render(w io.Writer, format string) error {
	switch format {
	case "text":
		return d.Text(w)
	case "json":
		return d.JSON(w)
	case "html":
		return d.HTML(w)
	default:
		return fmt.Errorf("the format %q is unknown; use one of %v", format, Formats())
	}
}

// WriteAll writes every form into the folder. Each file appears whole or not at all.
func (d *Document) WriteAll() error {
	for name, format := range map[string]string{JSONFile: "json", TextFile: "text", HTMLFile: "html"} {
		var b bytes.Buffer
		if err := d.Render(&b, format); err != nil {
			return fmt.Errorf("render %s: %w", name, err)
		}
		path := filepath.Join(d.path, name)
		if err := os.WriteFile(path+".part", b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("the report cannot be written: %w", err)
		}
		if err := os.Rename(path+".part", path); err != nil {
			return fmt.Errorf("the report cannot be written: %w", err)
		}
	}
	return nil
}
