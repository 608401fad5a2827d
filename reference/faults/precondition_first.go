package faults

import (
	"net/http"

	"github.com/partywall/partywall/reference"
)

func preconditionFirst() Fault {
	return Fault{
		ID: "precondition-first", Mistake: "A condition is compared with the stored document before it is asked whose that is.",
		Refs:       Refs{CheatSheet: "Don't reveal if it exists for other tenant", CWE: []int{203}},
		Scenarios:  []string{"oracle/condition"},
		Strategies: []string{"row", "rls"}, // what it does needs tables that all share
		Plant: func(p *reference.Parts) {
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("If-Match") == `"1"` && r.Method != http.MethodGet && ownerOf(p, r, "/v1/documents/") != "" {
						w.WriteHeader(http.StatusPreconditionFailed)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
		},
	}
}
