package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
)

func apikeyTenantHeader() Fault {
	return Fault{
		ID: "apikey-tenant-header", Mistake: "Programs come with a valid API key, so the tenant that they name in X-Tenant-ID is believed.",
		Refs:        Refs{CheatSheet: "Use separate API keys per tenant.", CWE: []int{639, 290}},
		Scenarios:   []string{"apikey/tenant-confusion"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string {
				if r.Header.Get("X-API-Key") == "" {
					return ""
				}
				return r.Header.Get("X-Tenant-ID")
			})
		},
	}
}
