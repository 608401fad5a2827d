package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
)

func methodOverride() Fault {
	return Fault{
		ID: "method-override", Mistake: "A framework carries out the method that a header names; who may do that was asked for the one on the wire.",
		Refs:       Refs{CheatSheet: "Insecure Direct Object References (IDOR)", CWE: []int{650, 639}},
		Scenarios:  []string{"idor/hidden-verb"},
		Strategies: []string{"row", "rls"}, // what it does needs tables that all share
		Plant: func(p *reference.Parts) {
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					owner := ownerOf(p, r, "/v1/documents/")
					if r.Method != http.MethodGet || owner == "" || r.Header.Get("X-Http-Method-Override") != http.MethodDelete {
						next.ServeHTTP(w, r)
						return
					}
					const remove = `update documents set deleted_at = now() where tenant_id::text = $1 and id::text = $2`
					if _, err := p.Service.Owner.Exec(r.Context(), remove, owner, r.PathValue("id")); err != nil {
						w.WriteHeader(http.StatusInternalServerError)
						return
					}
					w.WriteHeader(http.StatusNotFound) // it is not there any more
				})
			})
		},
	}
}
