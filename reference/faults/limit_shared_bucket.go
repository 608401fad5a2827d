package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func limitSharedBucket() Fault {
	return Fault{
		ID: "limit-shared-bucket", Mistake: "All tenants draw on one bucket: the key of the limiter lacks the tenant.",
		Refs:      Refs{CheatSheet: "Noisy Neighbor Attacks", CWE: []int{770, 653}},
		Scenarios: []string{"limits/own-bucket"}, Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.Limiter.Key = func(tenant.ID) string { return "limit:{service}" }
		},
	}
}
