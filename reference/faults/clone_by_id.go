package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func cloneByID() Fault {
	return Fault{
		ID: "clone-by-id", Mistake: "The copy is written for the right tenant; the original is read by its id.",
		Refs:      Refs{CheatSheet: "Cross-Tenant Data Leakage", CWE: []int{639}, Bugs: []string{"WeKnora CVE-2026-30857"}},
		Scenarios: []string{"idor/copy"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentClone] = `insert into documents (tenant_id, id, slug, title, body)
				select @tenant::uuid, @copy::uuid, @slug, title, body from documents where id = @uuid::uuid and deleted_at is null
				returning ` + store.DocumentColumns
		},
	}
}
