package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func readByID() Fault {
	return Fault{
		ID: "read-by-id", Mistake: "A document is read by its id; nobody asks whose it is.",
		Refs: Refs{
			CheatSheet: "Bad example: Direct object reference without tenant validation", CWE: []int{639}, Bugs: []string{"ShellHub CVE-2026-44423"},
		},
		Scenarios: []string{"idor/read"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentGet] = `select ` + store.DocumentColumns + ` from documents
				where @tenant <> '' and id::text = @id and deleted_at is null`
		},
	}
}
