package reports

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partywall/partywall/harness"
)

//go:embed page.html
var pageText string

// HTML writes a page that needs nothing else: no script, no font, no network.
func (d *Document) HTML(w io.Writer) error {
	page, err := template.New("page").Funcs(template.FuncMap{
		"cells": d.cells, "seconds": func(ms int64) string {
			return (time.Duration(ms) * time.Millisecond).Round(100 * time.Millisecond).String()
		},
		"status": http.StatusText, "headers": headers, "marked": marked, "verdictClass": verdictClass, "sentence": stop,
		"join": strings.Join,
		"none": func() []string { return nil }, // nothing is marked in a request
	}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	scenarios, resources := d.axes()
	return page.Execute(w, map[string]any{
		"D": d, "Scenarios": scenarios, "Resources": resources, "Tally": d.tally(),
		"Exit": d.ExitCode(false), "Summary": d.summary(), "Sections": d.sections(), "Requests": d.requests(),
		"Unclear": d.Reasons(harness.Inconclusive), "Skips": d.Reasons(harness.Skipped),
	})
}

// A cell of the verdict matrix.
type cell struct {
	Verdict, Reason, Anchor string
}

func (d *Document) cells(scenario string) []cell {
	_, resources := d.axes()
	var out []cell
	for _, resource := range resources {
		r := d.result(scenario, resource)
		if r == nil {
			out = append(out, cell{})
			continue
		}
		c := cell{Verdict: string(r.Verdict), Reason: r.Reason}
		for _, b := range d.Breaches() {
			if b.Stories[0].Scenario == scenario && r.Verdict == harness.Breached {
				c.Anchor = fmt.Sprintf("#breach-%d", b.Number)
			}
		}
		out = append(out, c)
	}
	return out
}

// A section of the scorecard.
type section struct {
	Title string
	Lines []ScoreLine
}

func (d *Document) sections() (out []section) {
	for _, line := range d.Scorecard {
		if len(out) == 0 || out[len(out)-1].Title != line.Section {
			out = append(out, section{Title: line.Section})
		}
		last := &out[len(out)-1]
		last.Lines = append(last.Lines, line)
	}
	return out
}

func verdictClass(verdict string) string { return strings.ReplaceAll(verdict, " ", "-") }

// headers in a stable order, those that say nothing left out.
func headers(h http.Header) []string {
	var out []string
	for name, values := range h {
		if slices.Contains([]string{"Date", "Cache-Control", "X-Content-Type-Options"}, name) {
			continue
		}
		for _, v := range values {
			out = append(out, name+": "+v)
		}
	}
	slices.Sort(out)
	return out
}

const shownBody = 1500

// marked is a body with the victim's values set off. It is clipped around the first of them.
func marked(body harness.Bytes, leaked []string) template.HTML {
	text := strings.ToValidUTF8(string(body), "\uFFFD")
	from := 0
	for _, value := range leaked {
		if at := strings.Index(text, value); at > shownBody {
			from = at - shownBody/3
			break
		}
	}
	before, after := "", ""
	if from > 0 {
		before = fmt.Sprintf("[%d bytes before]\n", from)
	}
	text = strings.ToValidUTF8(text[from:], "")
	if len(text) > shownBody {
		after = fmt.Sprintf("\n[%d bytes more]", len(text)-shownBody)
		text = strings.ToValidUTF8(text[:shownBody], "")
	}
	escaped := template.HTMLEscapeString(text)
	for _, value := range leaked {
		value = template.HTMLEscapeString(value)
		escaped = strings.ReplaceAll(escaped, value, "<mark>"+value+"</mark>")
	}
	return template.HTML(before + escaped + after) //nolint:gosec // every part is escaped above
}
