package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
)

func validatesFound() Fault {
	return Fault{
		ID: "validates-found", Mistake: "A document is loaded, then its new body is checked, then its owner.",
		Refs:       Refs{CheatSheet: "Don't reveal if it exists for other tenant", CWE: []int{203, 209}, Bugs: []string{"WaveHouse #327"}},
		Scenarios:  []string{"oracle/validation"},
		Strategies: []string{"row", "rls"}, // what it does needs tables that all share
		Plant: func(p *reference.Parts) {
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					changes := r.Method == http.MethodPut || r.Method == http.MethodPatch
					if changes && r.ContentLength < 3 && ownerOf(p, r, "/v1/documents/") != "" {
						w.WriteHeader(http.StatusUnprocessableEntity)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
		},
	}
}
