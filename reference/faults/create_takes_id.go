package faults

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/partywall/partywall/reference"
)

func createTakesID() Fault {
	return Fault{
		ID: "create-takes-id", Mistake: "A create takes the id that the client sends, and overwrites what has it, so that it may be repeated.",
		Refs:       Refs{CheatSheet: "Insecure Direct Object References (IDOR)", CWE: []int{915, 639}},
		Scenarios:  []string{"massassign/id"},
		Strategies: []string{"row", "rls"}, // what it does needs tables that all share
		Plant: func(p *reference.Parts) {
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodPost || r.URL.Path != "/v1/documents" {
						next.ServeHTTP(w, r)
						return
					}
					body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // what is cut off is no JSON
					var in struct{ ID, Title string }
					if json.Unmarshal(body, &in) == nil && in.ID != "" {
						const overwrite = `update documents set title = $2 where id::text = $1`
						if _, err := p.Service.Owner.Exec(r.Context(), overwrite, in.ID, in.Title); err == nil {
							w.WriteHeader(http.StatusNoContent)
							return
						}
					}
					r.Body = io.NopCloser(bytes.NewReader(body))
					next.ServeHTTP(w, r)
				})
			})
		},
	}
}
