package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
)

func queryTenant() Fault {
	return Fault{
		ID: "query-tenant", Mistake: "A tenant_id in the query, meant for the support staff, works for everybody.",
		Refs: Refs{
			CheatSheet: "Never trust client-supplied tenant IDs without validation.", CWE: []int{639}, Bugs: []string{"open-mercato #2665"},
		},
		Scenarios: []string{"context/query-override"},
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string { return r.URL.Query().Get("tenant_id") })
		},
	}
}
