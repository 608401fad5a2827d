package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func rlsPolicyTrue() Fault {
	return Fault{
		ID: "rls-policy-true", Mistake: "A policy that is called tenant_isolation says USING (true), and a statement relies on it.",
		Refs: Refs{
			CheatSheet: "Create policy that restricts access to current tenant", CWE: []int{863}, Bugs: []string{"supabase/evals #42"},
		},
		Scenarios:  []string{"idor/read"},
		Strategies: []string{"rls"},
		Plant: func(p *reference.Parts) {
			p.OwnerSQL = append(p.OwnerSQL, `drop policy tenant_isolation on documents`, `create policy tenant_isolation on documents using (true)`)
			p.DB.Statements[store.DocumentGet] = `select ` + store.DocumentColumns + ` from documents
				where @tenant <> '' and id::text = @id and deleted_at is null`
		},
	}
}
