package faults

import "github.com/partywall/partywall/reference"

func uniqueSlugGlobal() Fault {
	return Fault{
		ID: "unique-slug-global", Mistake: "A slug must be unique in the whole table, so a conflict tells what other tenants have.",
		Refs: Refs{
			CheatSheet: "Use composite keys (tenant_id + resource_id) for all lookups.", CWE: []int{203, 204}, Bugs: []string{"open-mercato #2934"},
		},
		Scenarios:  []string{"oracle/existence"},
		Strategies: []string{"row", "rls"}, // one table for all
		Plant: func(p *reference.Parts) {
			p.OwnerSQL = append(p.OwnerSQL, `create unique index documents_slug on documents (slug) where deleted_at is null`)
		},
	}
}
