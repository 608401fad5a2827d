package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func suspendedStillServed() Fault {
	return Fault{
		ID: "suspended-still-served", Mistake: "Suspension is looked at where users log in; who holds a token is served on.",
		Refs:        Refs{CheatSheet: "Secure Tenant Lifecycle Management", CWE: []int{613, 672}},
		Scenarios:   []string{"lifecycle/suspended-access"},
		Indifferent: true,
		Plant:       func(p *reference.Parts) { p.API.Gate = alsoServed(p, store.Suspended) },
	}
}
