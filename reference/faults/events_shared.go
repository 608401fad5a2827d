package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func eventsShared() Fault {
	return Fault{
		ID: "events-shared", Mistake: "There is one stream of events; who follows it was let in, and that is all that is asked.",
		Refs: Refs{
			CheatSheet: "Cross-Tenant Data Leakage", CWE: []int{862}, Bugs: []string{"Daytona CVE-2026-54324"},
		},
		Scenarios:   []string{"realtime/stream"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.API.Feed.Key = func(tenant.ID) string { return "events" }
			p.API.Feed.Owns = func(tenant.ID, string) bool { return true }
		},
	}
}
