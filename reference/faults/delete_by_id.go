package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func deleteByID() Fault {
	return Fault{
		ID: "delete-by-id", Mistake: "A document is deleted by its id, whoever asks.",
		Refs: Refs{
			CheatSheet: "Implement authorization checks at the data access layer, not just API layer.", CWE: []int{639, 863},
			Bugs: []string{"Daytona GHSA-qxvm-pcfm-qc39"},
		},
		Scenarios: []string{"idor/delete"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentDelete] = `update documents set deleted_at = now()
				where @tenant <> '' and id::text = @id and deleted_at is null`
		},
	}
}
