package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/signing"
)

func linkAnyMethod() Fault {
	return Fault{
		ID: "link-any-method", Mistake: "A link says for which method it was made, and nobody compares it with the request's.",
		Refs:        Refs{CheatSheet: "Use signed URLs with tenant context embedded.", CWE: []int{285, 650}},
		Scenarios:   []string{"storage/link-tampering"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.API.Linked.Serves = func(signing.Link, string) bool { return true }
		},
	}
}
