package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func auditErasable() Fault {
	return Fault{
		ID: "audit-erasable", Mistake: "A method override turns a read of the trail into its deletion, over a connection that may do everything.",
		Refs:       Refs{CheatSheet: "Implement tenant-isolated audit trails.", CWE: []int{471, 650}},
		Scenarios:  []string{"audit/append-only"},
		Strategies: []string{"row", "rls"},
		Plant: func(p *reference.Parts) {
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					id, err := tenant.From(r.Context())
					if err != nil || r.URL.Path != "/v1/audit" || r.Header.Get("X-Http-Method-Override") != http.MethodDelete {
						next.ServeHTTP(w, r)
						return
					}
					if _, err := p.Service.Owner.Exec(r.Context(), `delete from audit where tenant_id = $1`, string(id.Tenant)); err != nil {
						w.WriteHeader(http.StatusInternalServerError)
						return
					}
					w.WriteHeader(http.StatusNoContent)
				})
			})
		},
	}
}
