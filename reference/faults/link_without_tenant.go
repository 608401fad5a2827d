package faults

import "github.com/partywall/partywall/reference"

func linkWithoutTenant() Fault {
	return Fault{
		ID: "link-without-tenant", Mistake: "The signature of a link covers path, method and expiry; the tenant stands beside them, for routing.",
		Refs:        Refs{CheatSheet: "Use signed URLs with tenant context embedded.", CWE: []int{345, 639}},
		Scenarios:   []string{"storage/link-tampering"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			signedOnly(p)
			uncovered(p, "tenant", "session")
		},
	}
}
