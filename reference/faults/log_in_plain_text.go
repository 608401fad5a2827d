package faults

import (
	"log/slog"
	"net/http"

	"github.com/partywall/partywall/reference"
)

func logInPlainText() Fault {
	return Fault{
		ID: "log-in-plain-text", Mistake: "Requests are logged as they came, for debugging, and past the redaction.",
		Refs:        Refs{CheatSheet: "Tenant-Aware Logging & Monitoring", CWE: []int{532}},
		Scenarios:   []string{"audit/plain-text"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.Log.Redact = func(a slog.Attr) slog.Attr { return a }
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					p.API.Log.InfoContext(r.Context(), "request", "url", r.URL.String(), "authorization", r.Header.Get("Authorization"))
					next.ServeHTTP(w, r)
				})
			})
		},
	}
}
