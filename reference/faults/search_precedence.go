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
		Walls:     []Wall{rowSecurity},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.DocumentList] = `select id, slug, title, body, created_at, updated_at, count(*) over () from documents
				where tenant_id = @tenant and (@q = '' or title ilike @like) or @q <> '' and body ilike @like
				order by created_at desc, id limit @limit`
		},
	}
}
