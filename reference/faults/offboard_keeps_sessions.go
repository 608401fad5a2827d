package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func offboardKeepsSessions() Fault {
	return Fault{
		ID:          "offboard-keeps-sessions",
		Mistake:     "Offboarding sets the day of the deletion; until then the tenant is served, and sessions that were open go on.",
		Refs:        Refs{CheatSheet: "Secure Tenant Lifecycle Management", CWE: []int{613, 672}},
		Scenarios:   []string{"lifecycle/offboarded-access"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.API.Gate = alsoServed(p, store.Offboarding)
			keptAccess(p, "sessions", "refresh_tokens")
		},
	}
}
