package faults

import (
	"net/http"
	"strings"

	"github.com/partywall/partywall/reference"
)

func hostTenant() Fault {
	return Fault{
		ID: "host-tenant", Mistake: "The tenant is the first label of the forwarded host, for the proxy sets it.",
		Refs:        Refs{CheatSheet: "Tenant Impersonation", CWE: []int{290, 346}, Bugs: []string{"Cratis Arc #2471", "didacta #57"}},
		Scenarios:   []string{"context/host-spoof"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string {
				name, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Host"), ".")
				return name
			})
		},
	}
}
