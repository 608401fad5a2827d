package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func searchPrecedence() Fault {
	return Fault{
		ID: "search-precedence", Mistake: "The tenant is joined to the search by AND, a second field by OR, and there are no brackets.",
		Refs: Refs{
			CheatSheet: "Always validate that requested resources belong to the current tenant.", CWE: []int{639, 783},
			Bugs: []string{"open-mercato #3817"},
		},
		Scenarios: []string{"idor/list"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentList] = `select ` + store.DocumentColumns + `, count(*) over () as total from documents
				where deleted_at is null and tenant_id = @tenant and (@q = '' or title ilike @like) or @q <> '' and body ilike @like
				order by created_at desc, id desc limit @limit`
		},
	}
}
