package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func quotaRace() Fault {
	return Fault{
		ID: "quota-race", Mistake: "The documents of a tenant are counted first and made then: those that come at once are all let through.",
		Refs:      Refs{CheatSheet: "Implement per-tenant rate limiting and quotas.", CWE: []int{770, 367}},
		Scenarios: []string{"limits/quota"}, Indifferent: true,
		Plant: func(p *reference.Parts) {
			// Each statement sees what there was when it began. The pause stands for what a service does between the two.
			p.DB.Statements[store.DocumentCreate] = `with counted as materialized (
					select count(*) as n, (select pg_sleep(0.05) where @quota::bigint is not null) from documents where tenant_id = @tenant::uuid)
				insert into documents (tenant_id, id, slug, title, body, category_id)
				select @tenant::uuid, @id::uuid, @slug, @title, @body, @category::uuid from counted
				where @quota::bigint is null or n < @quota::bigint returning ` + store.DocumentColumns
		},
	}
}
