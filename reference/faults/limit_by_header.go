package faults

import (
	"cmp"
	"context"
	"net/http"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/tenant"
)

func limitByHeader() Fault {
	return Fault{
		ID: "limit-by-header", Mistake: "Requests are counted by the address in X-Forwarded-For, which the client writes, and by the tenant where there is none.",
		Refs: Refs{
			CheatSheet: "Tenant-Aware Rate Limiting", CWE: []int{348, 770}, Bugs: []string{"multica #2636", "SecuScan #1757"},
		},
		Scenarios: []string{"limits/own-bucket"}, Indifferent: true,
		Plant: func(p *reference.Parts) {
			allow := p.API.Allow
			p.API.Allow = func(context.Context) (ratelimit.Decision, error) { return ratelimit.Decision{}, nil }
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					id, _ := tenant.From(r.Context()) // the chain has put one there
					id.Tenant = tenant.ID(cmp.Or(r.Header.Get("X-Forwarded-For"), string(id.Tenant)))
					if _, err := allow(tenant.NewContext(r.Context(), id)); err != nil {
						w.Header().Set("Retry-After", "1")
						http.Error(w, "too many requests", http.StatusTooManyRequests)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
		},
	}
}
