package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func bulkChecksFirst() Fault {
	return Fault{
		ID: "bulk-checks-first", Mistake: "Of a batch the first document is checked, and stands for all of them.",
		Refs:      Refs{CheatSheet: "Insecure Direct Object References (IDOR)", CWE: []int{863}, Bugs: []string{"Hatchet CVE-2026-42572"}},
		Scenarios: []string{"idor/batch-read"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentGetAll] = `select ` + store.DocumentColumns + ` from documents
				where id = any(@ids::uuid[]) and deleted_at is null
					and exists (select from documents own where own.tenant_id = @tenant::uuid and own.id = (@ids::uuid[])[1])
				order by array_position(@ids::uuid[], id)`
		},
	}
}
