package reports_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/specimen"
	"github.com/partywall/partywall/reports"
)

func rendered(t *testing.T, d *reports.Document, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.Render(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestMarks: what is marked in an answer belongs to another than its receiver, and every story marks something or is about
// state or status.
func TestMarks(t *testing.T) {
	for _, s := range specimen.All(true) {
		t.Run(s.Name, func(t *testing.T) {
			path, _ := stored(t, s)
			d, _, err := reports.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			owner := map[string]string{}
			if _, err := reports.Each(path, func(r reports.Record) error {
				for _, token := range r.Tokens {
					owner[token.Value] = token.Owner
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			marked := 0
			for _, story := range d.Stories {
				if len(story.Proof) == 0 || story.Control == nil || len(story.Attackers) == 0 || len(story.Cells) == 0 {
					t.Errorf("%s on %s lacks something: %+v", story.Scenario, story.Resource, story)
				}
				for _, e := range append(slices.Clone(story.Proof), *story.Control) {
					marked += len(e.Foreign)
					for _, value := range e.Foreign {
						if owner[value] == e.Tenant || !bytes.Contains(e.Response.Body, []byte(value)) {
							t.Errorf("%s: %s is marked, which %s owns", e.ID, value, e.Tenant)
						}
					}
					if len(e.Foreign) > 0 && e.Purpose == harness.Control {
						t.Errorf("%s: the owner's own answer is marked", e.ID)
					}
				}
			}
			if marked == 0 {
				t.Error("nothing is marked")
			}
		})
	}
}

// TestGroups: the stories of one scenario are told as one breach that names its resources, and none is lost.
func TestGroups(t *testing.T) {
	finding := func(mark, attacker string) harness.Finding {
		return harness.Finding{
			Summary: attacker + " received the text", Attacker: attacker, Victim: "b", Evidence: []string{"x/y/" + attacker + "-b/1"}, Fingerprint: mark, Channel: "body",
		}
	}
	result := func(scenario, resource string, findings ...harness.Finding) harness.Result {
		return harness.Result{Scenario: scenario, Resource: resource, Claim: "a claim", Verdict: harness.Breached, Findings: findings}
	}
	d, err := reports.NewDocument("", &harness.Report{Target: "x", Results: []harness.Result{
		result("token/none", "notes", finding("f1", "a.alice"), finding("f1", "anonymous"), finding("f1", "a")),
		result("token/none", "files", finding("f2", "a.alice"), finding("f3", "a.alice")),
		result("idor/read", "notes", finding("f4", "a.alice")),
		{Scenario: "idor/read", Resource: "files", Verdict: harness.Held, Findings: []harness.Finding{}},
		{Scenario: "idor/list", Resource: "notes", Verdict: harness.Inconclusive, Reason: "nobody answers", Findings: []harness.Finding{}},
		{Scenario: "idor/list", Resource: "files", Verdict: harness.Inconclusive, Reason: "nobody answers", Findings: []harness.Finding{}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	text := rendered(t, d, "text")
	for _, want := range []string{
		"token/none  BREACHED on all 2", "idor/read   BREACHED on notes; held on files", "idor/list   INCONCLUSIVE on all 2",
		"BREACH 1: token/none on notes, files\n", "BREACH 2: idor/read on notes\n", "Claim     A claim.\n",
		"attacker a.alice, anonymous; victim b; seen 3 times", "f1", "f2, f3", "f4", "INCONCLUSIVE: Nobody answers.\n  idor/list on notes, idor/list on files\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Count(text, "BREACH ") != 2 {
		t.Errorf("not two breaches:\n%s", text)
	}
	page := rendered(t, d, "html")
	for _, want := range []string{`id="breach-1"`, "on notes, files</h3>", "Also on <b>files</b>", `href="#breach-2"`, "What could not be seen", "<p>Nobody answers.</p>", "f1", "f2", "f3", "f4"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestNarrow: what people read on a terminal does not wrap there, but for what they may want to copy.
func TestNarrow(t *testing.T) {
	path, _ := stored(t, specimen.Pages(true))
	d, _, err := reports.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := regexp.MustCompile(`^ +(Try +curl|GET|POST|PUT|DELETE|PATCH) `)
	for line := range strings.Lines(rendered(t, d, "text")) {
		if len(line) > 101 && !copied.MatchString(line) {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// TestLeft: what a run left behind is in every form of its report.
func TestLeft(t *testing.T) {
	d, err := reports.NewDocument("", &harness.Report{Target: "x", Requests: 309, BeyondBudget: 9, Left: []harness.Leftover{
		{Tenant: "t-1", TenantName: "acme", Resource: "notes", ID: "n-1", Reason: "status 403 is no success here"},
		{Tenant: "t-1", TenantName: "acme", Resource: "notes", ID: "n-2", Reason: "status 403 is no success here"},
		{Tenant: "t-2", TenantName: "globex", Reason: "the target describes no way to delete it"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	text := rendered(t, d, "text")
	for _, want := range []string{
		"acme (t-1): notes n-1, n-2 (status 403 is no success here)", "globex (t-2): the tenant itself (the target", "309 requests (9 of them beyond the budget",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	for format, want := range map[string]string{"html": "<code>n-1, n-2</code>", "json": `"id": "n-2"`} {
		if got := rendered(t, d, format); !strings.Contains(got, want) {
			t.Errorf("%s lacks %q", format, want)
		}
	}
}
