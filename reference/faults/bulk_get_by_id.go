package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func bulkGetByID() Fault {
	return Fault{
		ID: "bulk-get-by-id", Mistake: "A batch of documents is read by their ids; only the single route asks whose they are.",
		Refs:      Refs{CheatSheet: "Insecure Direct Object References (IDOR)", CWE: []int{639}, Bugs: []string{"Hatchet CVE-2026-42572"}},
		Scenarios: []string{"idor/batch-read"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentGetAll] = `select ` + store.DocumentColumns + ` from documents
				where @tenant <> '' and id = any(@ids::uuid[]) and deleted_at is null order by array_position(@ids::uuid[], id)`
		},
	}
}
