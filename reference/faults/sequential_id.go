package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func sequentialID() Fault {
	return Fault{
		ID: "sequential-id", Mistake: "An old route still takes the running number of a document, without asking for the tenant.",
		Refs: Refs{
			CheatSheet: "Avoid exposing sequential or guessable IDs.", CWE: []int{340, 639}, Bugs: []string{"First American Financial, 2019"},
		},
		Scenarios:  []string{"idor/walk"},
		Strategies: []string{"row", "rls"}, // what it does needs tables that all share
		Walls:      []Wall{rowSecurity},
		Plant: func(p *reference.Parts) {
			p.OwnerSQL = append(p.OwnerSQL, `alter table documents add column number bigint generated always as identity`)
			p.DB.Statements[store.DocumentGet] = `select ` + store.DocumentColumns + ` from documents
				where deleted_at is null and (tenant_id = @tenant and id::text = @id or number::text = @id)`
		},
	}
}
