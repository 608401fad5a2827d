package faults

import (
	"context"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func offboardKeepsShares() Fault {
	return Fault{
		ID:          "offboard-keeps-shares",
		Mistake:     "Offboarding ends sessions and forgets the links that were shared, which need no login and are not asked for the tenant's state.",
		Refs:        Refs{CheatSheet: "Secure Tenant Lifecycle Management", CWE: []int{613, 672}},
		Scenarios:   []string{"lifecycle/offboarded-access"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			users, visitors := p.API.Gate, alsoServed(p, store.Offboarding)
			p.API.Gate = func(ctx context.Context, id tenant.Identity) (tenant.Identity, error) {
				if id.Role == tenant.Visitor {
					return visitors(ctx, id)
				}
				return users(ctx, id)
			}
			keptAccess(p, "shares")
		},
	}
}
