package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
)

func headerTenant() Fault {
	return Fault{
		ID: "header-tenant", Mistake: "The X-Tenant-ID header of a signed-in client decides the tenant.",
		Refs: Refs{
			CheatSheet: "Bad example: Trusting client-supplied tenant ID", CWE: []int{290, 807}, Bugs: []string{"Bigcapital GHSA-2g96-86rw-qmvg"},
		},
		Scenarios: []string{"context/header-spoof"},
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string { return r.Header.Get("X-Tenant-ID") })
		},
	}
}
