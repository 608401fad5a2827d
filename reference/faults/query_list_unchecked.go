package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
)

func queryListUnchecked() Fault {
	return Fault{
		ID: "query-list-unchecked", Mistake: "The check of the parameter expects a text; the binder takes tenant_id[] for it as well.",
		Refs:        Refs{CheatSheet: "Never trust client-supplied tenant IDs without validation.", CWE: []int{843, 20}, Bugs: []string{"qmd #205"}},
		Scenarios:   []string{"context/duplicate"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string { return r.URL.Query().Get("tenant_id[]") })
		},
	}
}
