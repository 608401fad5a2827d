package faults

import (
	"strings"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func totalsGlobal() Fault {
	return Fault{
		ID: "totals-global", Mistake: "The number above a list counts the table, and the list below it the tenant.",
		Refs:      Refs{CheatSheet: "Cross-Tenant Data Leakage", CWE: []int{200}},
		Scenarios: []string{"oracle/activity"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentList] = strings.Replace(p.DB.Statements[store.DocumentList], `count(*) over () as total`,
				`(select count(*) from documents all_of_them) as total`, 1)
		},
	}
}
