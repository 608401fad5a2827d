package faults

import (
	"context"
	"net/http"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

// tenantNamed resolves what a client wrote, an id or a slug, as services with such a flaw do.
func tenantNamed(ctx context.Context, p *reference.Parts, named string) (tenant.ID, bool) {
	if named == "" {
		return "", false
	}
	if r, err := p.API.Tenants.ByID(ctx, tenant.ID(named)); err == nil {
		return r.ID, true
	}
	if r, err := p.API.Tenants.BySlug(ctx, named); err == nil {
		return r.ID, true
	}
	return "", false
}

// believing wraps the handlers behind the chain with one that lets a request choose its tenant.
func believing(p *reference.Parts, chosen func(*http.Request) string) {
	p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id, ok := tenantNamed(r.Context(), p, chosen(r)); ok {
				if identity, err := tenant.From(r.Context()); err == nil {
					identity.Tenant = id
					r = r.WithContext(tenant.NewContext(r.Context(), identity))
				}
			}
			next.ServeHTTP(w, r)
		})
	})
}
