package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func updateByID() Fault {
	return Fault{
		ID: "update-by-id", Mistake: "Reading checks the tenant, updating does not.",
		Refs: Refs{
			CheatSheet: "Use composite keys (tenant_id + resource_id) for all lookups.", CWE: []int{639}, Bugs: []string{"SigNoz #11830"},
		},
		Scenarios: []string{"idor/update"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentUpdate] = `update documents set slug = coalesce(@slug, slug), title = coalesce(@title, title),
				body = coalesce(@body, body), version = version + 1, updated_at = now()
				where @tenant <> '' and id::text = @id and deleted_at is null returning ` + store.DocumentColumns
		},
	}
}
