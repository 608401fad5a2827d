package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func bulkDeleteByID() Fault {
	return Fault{
		ID: "bulk-delete-by-id", Mistake: "A batch of documents is deleted by their ids; only the single route asks whose they are.",
		Refs:      Refs{CheatSheet: "Insecure Direct Object References (IDOR)", CWE: []int{639}},
		Scenarios: []string{"idor/delete"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentDeleteAll] = `update documents set deleted_at = now()
				where @tenant <> '' and id = any(@ids::uuid[]) and deleted_at is null`
		},
	}
}
