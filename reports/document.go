package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/partywall/partywall/harness"
)

// A Document is a report with what renderers add to it.
type Document struct {
	*harness.Report
	Scorecard []ScoreLine `json:"scorecard"`
	// Stories of the breaches: one for each kind of mistake on a resource, however many pairs of tenants it showed on.
	Stories []Story `json:"-"`
	path    string
}

// A Breach is a scenario's claim that did not hold, with the stories of the resources it did not hold for.
type Breach struct {
	Number  int
	Stories []Story
}

// A Story is one kind of breach of one resource, with the exchanges that prove it beside the control.
type Story struct {
	harness.Result
	Finding harness.Finding
	// Times that the same mistake showed, over all pairs of tenants.
	Times int
	// Attackers who succeeded, against which victims, and the ids of the cells in which they did.
	Attackers []string
	Victims   []string
	Cells     []string
	Control   *Shown
	Proof     []Shown
}

// NewDocument reads what the stories need from the folder's evidence. An empty path means that no evidence was kept.
func NewDocument(path string, r *harness.Report) (*Document, error) {
	d := &Document{Report: r, Scorecard: Score(r), path: path}
	for _, result := range r.Results {
		for _, finding := range result.Findings {
			i := slices.IndexFunc(d.Stories, func(s Story) bool {
				return s.Finding.Fingerprint == finding.Fingerprint && s.Scenario == result.Scenario && s.Resource == result.Resource
			})
			if i < 0 {
				i = len(d.Stories)
				d.Stories = append(d.Stories, Story{Result: result, Finding: finding})
			}
			d.Stories[i].add(finding)
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
	if errors.Is(err, ErrTruncated) {
		err = nil // what is there tells the story
	}
	return d, err
}

func (s *Story) add(f harness.Finding) {
	s.Times++
	s.Attackers, s.Victims = withActor(s.Attackers, f.Attacker), withActor(s.Victims, f.Victim)
	for _, id := range f.Evidence {
		s.Cells = with(s.Cells, id[:strings.LastIndex(id, "/")])
	}
}

// withActor keeps a sorted list of who it was: by person ("a.alice") where one is known, else by tenant ("a").
func withActor(list []string, who string) []string {
	tenant, _, person := strings.Cut(who, ".")
	if !person && slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, tenant+".") }) {
		return list
	}
	if person {
		list = slices.DeleteFunc(list, func(s string) bool { return s == tenant })
	}
	list = with(list, who)
	slices.Sort(list)
	return list
}

// with appends what is not there yet.
func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// take picks the exchanges that the story's finding names from the history of its cell.
func (s *Story) take(h *harness.History) {
	var attack *harness.Exchange
	for _, e := range h.Exchanges {
		if slices.Contains(s.Finding.Evidence, e.ID) {
			s.Proof = append(s.Proof, show(h, e))
			if attack == nil || attack.Purpose != harness.Attack {
				attack = e
			}
		}
	}
	if attack == nil || s.Control != nil {
		return
	}
	// The same request by its rightful owner; else the same operation; else the first control that shows that owners succeed.
	nearest := 0
	for _, c := range h.Exchanges {
		near := 1
		switch {
		case c.Purpose != harness.Control || !c.OK:
			continue
		case c.Request.Method == attack.Request.Method && c.Request.URL == attack.Request.URL:
			near = 3
		case c.Verb == attack.Verb && c.Resource == attack.Resource && c.Tenant == h.Cell.Victim:
			near = 2
		}
		if near > nearest {
			shown := show(h, c)
			shown.Same, s.Control, nearest = near == 3, &shown, near
		}
	}
}

// Key is the proof in a few exchanges: what the victim saw afterwards and the attacks that succeeded, before those that failed.
func (s Story) Key(few int) []Shown {
	weight := func(e Shown) int {
		switch {
		case len(e.Foreign) > 0:
			return 3
		case e.Purpose == harness.Check:
			return 2
		case e.OK:
			return 1
		default:
			return 0
		}
	}
	order := make([]int, len(s.Proof))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return weight(s.Proof[b]) - weight(s.Proof[a]) })
	order = order[:min(few, len(order))]
	slices.Sort(order)
	var out []Shown
	for _, i := range order {
		out = append(out, s.Proof[i])
	}
	return out
}

// Verb is what was attacked, where the evidence tells.
func (s Story) Verb() string {
	for _, e := range s.Proof {
		if e.Purpose == harness.Attack {
			return string(e.Verb)
		}
	}
	return s.Finding.Channel
}

// Breaches groups the stories by scenario, in their order.
func (d *Document) Breaches() (out []Breach) {
	for _, s := range d.Stories {
		if len(out) == 0 || out[len(out)-1].Stories[0].Scenario != s.Scenario {
			out = append(out, Breach{Number: len(out) + 1})
		}
		last := &out[len(out)-1]
		last.Stories = append(last.Stories, s)
	}
	return out
}

// Resources that the claim did not hold for.
func (b Breach) Resources() (out []string) {
	for _, s := range b.Stories {
		if !slices.Contains(out, s.Resource) {
			out = append(out, s.Resource)
		}
	}
	return out
}

// A Reason is why results are inconclusive or skipped, with the results.
type Reason struct {
	Text   string
	Places []harness.Result
}

// Reasons lists each reason of a verdict once, the most frequent first.
func (d *Document) Reasons(v harness.Verdict) (out []Reason) {
	for _, r := range d.Results {
		if r.Verdict != v {
			continue
		}
		i := slices.IndexFunc(out, func(known Reason) bool { return known.Text == r.Reason })
		if i < 0 {
			i = len(out)
			out = append(out, Reason{Text: r.Reason})
		}
		out[i].Places = append(out[i].Places, r)
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return len(b.Places) - len(a.Places) })
	return out
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
			_ = os.Remove(path + ".part") // the first error is the one to tell
			return fmt.Errorf("the report cannot be written: %w", err)
		}
		if err := os.Rename(path+".part", path); err != nil {
			return fmt.Errorf("the report cannot be written: %w", err)
		}
	}
	return nil
}
