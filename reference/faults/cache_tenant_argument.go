package faults

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/cache"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func cacheTenantArgument() Fault {
	return Fault{
		ID:      "cache-tenant-argument",
		Mistake: "A look into the cache takes an optional tenant, and a handler fills it from the query. The store behind asks for the caller's own.",
		Refs: Refs{
			CheatSheet: "Good example: Tenant-isolated caching", CWE: []int{639, 524},
		},
		Scenarios:   []string{"context/query-override"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if id, ok := tenantNamed(r.Context(), p, r.URL.Query().Get("tenant_id")); ok {
						r = r.WithContext(context.WithValue(r.Context(), argument{}, id))
					}
					next.ServeHTTP(w, r)
				})
			})
			p.API.Preferences = arguedPreferences{p.API.Preferences, p.Cache}
		},
	}
}

// argument is the key under which a context holds the tenant that a request asked for.
type argument struct{}

type arguedPreferences struct {
	store.Preferences
	cache *cache.Cache
}

func (a arguedPreferences) Get(ctx context.Context, name string) (p store.Preference, err error) {
	if id, ok := ctx.Value(argument{}).(tenant.ID); ok {
		data, hit, err := a.cache.Get(tenant.NewContext(ctx, tenant.Identity{Tenant: id}), "preferences", name)
		if err == nil && hit && json.Unmarshal(data, &p) == nil {
			return p, nil
		}
	}
	return a.Preferences.Get(ctx, name)
}
