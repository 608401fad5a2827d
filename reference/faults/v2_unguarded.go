package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
)

func v2Unguarded() Fault {
	return Fault{
		ID: "v2-unguarded", Mistake: "The second version of the API reads a document as its owner, whoever asks: its guard was to come later.",
		Refs:       Refs{CheatSheet: "Validate tenant context on every API request.", CWE: []int{862, 1059}},
		Scenarios:  []string{"idor/version"},
		Strategies: []string{"row", "rls"}, // what it does needs tables that all share
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string { return ownerOf(p, r, "/v2/documents/") })
		},
	}
}
