package faults

import (
	"context"
	"net/http"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func headerAnonymous() Fault {
	return Fault{
		ID: "header-anonymous", Mistake: "A request without a token but with an X-Tenant-ID header is taken to come from the gateway.",
		Refs: Refs{
			CheatSheet: "Bind tenant context to the authenticated user session.", CWE: []int{290, 306}, Bugs: []string{"Woodpecker CVE-2026-50141"},
		},
		Scenarios: []string{"context/header-spoof"},
		Plant: func(p *reference.Parts) {
			const gateway = "gateway"
			good, live := p.API.Authenticate, p.API.Live
			p.API.Authenticate = func(r *http.Request) (tenant.Identity, error) {
				if r.Header.Get("Authorization") == "" {
					if id, ok := tenantNamed(r.Context(), p, r.Header.Get("X-Tenant-ID")); ok {
						return tenant.Identity{Tenant: id, User: gateway, Role: "admin"}, nil
					}
				}
				return good(r)
			}
			p.API.Live = func(ctx context.Context) error { // the gateway has no session
				if id, err := tenant.From(ctx); err == nil && id.User == gateway {
					return nil
				}
				return live(ctx)
			}
		},
	}
}
