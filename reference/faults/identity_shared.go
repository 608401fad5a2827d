package faults

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func identityShared() Fault {
	return Fault{
		ID: "identity-shared", Mistake: "Who is asking is kept in a field of the handler until the handler needs it.",
		Refs:        Refs{CheatSheet: "Propagate tenant context securely through all application layers.", CWE: []int{362, 488}},
		Scenarios:   []string{"concurrency/burst"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			var current atomic.Value // the identity of the last request that came in
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					id, err := tenant.From(r.Context())
					if err != nil {
						next.ServeHTTP(w, r)
						return
					}
					current.Store(id)
					time.Sleep(time.Millisecond) // the body is read, a template is loaded
					next.ServeHTTP(w, r.WithContext(tenant.NewContext(r.Context(), current.Load().(tenant.Identity))))
				})
			})
		},
	}
}
