package faults

import "github.com/partywall/partywall/reference"

func linkWithoutPath() Fault {
	return Fault{
		ID: "link-without-path", Mistake: "The signature of a link covers the tenant and the expiry: whoever holds one link has all files.",
		Refs:        Refs{CheatSheet: "Use signed URLs with tenant context embedded.", CWE: []int{345, 639}},
		Scenarios:   []string{"storage/link-tampering"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			signedOnly(p)
			uncovered(p, "path", "version")
		},
	}
}
