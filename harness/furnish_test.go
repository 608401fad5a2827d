package harness_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
)

// shelves is the notebook under several names.
type shelves struct {
	oddTarget
	resources []harness.Resource
}

func (s *shelves) Surface() harness.Surface {
	return harness.Surface{BaseURL: s.url, Resources: s.resources}
}

// shelf is a resource of a notebook that lies under a prefix.
func shelf(name string, parents ...string) harness.Resource {
	text := harness.Body{Kind: "json", Value: map[string]any{"text": "{text}"}}
	prefix := "/" + name
	for _, p := range parents {
		prefix += "/in-{" + p + "}"
	}
	return harness.Resource{
		Name: name, Parents: parents, ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "text"}},
		Operations: []harness.Operation{
			{Verb: harness.Create, Method: "POST", Path: prefix + "/notes", Body: text},
			{Verb: harness.Read, Method: "GET", Path: prefix + "/notes/{id}"},
			{Verb: harness.Delete, Method: "DELETE", Path: prefix + "/notes/{id}"},
		},
	}
}

// TestOneResourceFails: where one resource cannot be created, its cells and those of what lies under it are inconclusive,
// and no others.
func TestOneResourceFails(t *testing.T) {
	mux := http.NewServeMux()
	asked := 0
	for _, name := range []string{"good", "bad", "below", "last"} {
		next := http.StripPrefix("/"+name, &notebook{rows: map[string]map[string]string{}})
		mux.HandleFunc("/"+name+"/", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && name == "bad" {
				asked++
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	target := &shelves{oddTarget{target: target{url: server.URL}}, []harness.Resource{shelf("good"), shelf("bad"), shelf("below", "bad"), shelf("last")}}
	report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: []harness.Scenario{swap(harness.Read)}, Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	got, reasons := map[string]harness.Verdict{}, map[string]string{}
	for _, r := range report.Results {
		got[r.Resource], reasons[r.Resource] = r.Verdict, r.Reason
	}
	want := map[string]harness.Verdict{"good": harness.Held, "bad": harness.Inconclusive, "below": harness.Inconclusive, "last": harness.Held}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v: %v", got, want, reasons)
	}
	if !strings.Contains(reasons["bad"], "could not create bad: status 500") || !strings.Contains(reasons["below"], "could not create bad") {
		t.Errorf("%v", reasons)
	}
	if asked > 3+6+6 {
		t.Errorf("a create that fails was asked for %d times by 24 cells", asked)
	}
}
