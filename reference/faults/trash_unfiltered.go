package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func trashUnfiltered() Fault {
	return Fault{
		ID: "trash-unfiltered", Mistake: "The trash shows what was deleted, of everybody.",
		Refs:      Refs{CheatSheet: "Allow queries without tenant filters", CWE: []int{639, 212}},
		Scenarios: []string{"idor/trash"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.TrashList] = `select ` + store.DocumentColumns + `, deleted_at from documents
				where @tenant <> '' and deleted_at is not null order by created_at desc, id desc limit @limit`
		},
	}
}
