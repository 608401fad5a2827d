package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func listUnfiltered() Fault {
	return Fault{
		ID: "list-unfiltered", Mistake: "The list of preferences forgot its tenant.",
		Refs: Refs{
			CheatSheet: "Always validate that requested resources belong to the current tenant.", CWE: []int{639}, Bugs: []string{"endatix #1022"},
		},
		Scenarios: []string{"idor/list"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.PreferenceList] = `select name, value from preferences where @tenant <> '' order by name limit 500`
		},
	}
}
