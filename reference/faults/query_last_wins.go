package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func queryLastWins() Fault {
	return Fault{
		ID: "query-last-wins", Mistake: "A tenant_id that names somebody else is refused; of two the first is looked at, and the last one is used.",
		Refs:        Refs{CheatSheet: "Tenant Context Injection", CWE: []int{235}, Bugs: []string{"open-mercato #2665"}},
		Scenarios:   []string{"context/duplicate"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string {
				named := r.URL.Query()["tenant_id"]
				if id, err := tenant.From(r.Context()); err != nil || len(named) < 2 || named[0] != string(id.Tenant) {
					return ""
				}
				return named[len(named)-1]
			})
		},
	}
}
