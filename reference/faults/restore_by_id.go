package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func restoreByID() Fault {
	return Fault{
		ID: "restore-by-id", Mistake: "What was deleted is found by its id when it is restored, for the tenant was checked when it was deleted.",
		Refs:      Refs{CheatSheet: "Insecure Direct Object References (IDOR)", CWE: []int{639}},
		Scenarios: []string{"idor/trash"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.TrashRestore] = `update documents set deleted_at = null
				where @tenant <> '' and id = @uuid::uuid and deleted_at is not null returning ` + store.DocumentColumns
		},
	}
}
