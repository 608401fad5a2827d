package faults

import (
	"net/http"
	"strings"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func auditAdminReadsAll() Fault {
	return Fault{
		ID: "audit-admin-reads-all", Mistake: "Whoever has the role admin may name the tenant whose trail is shown; a tenant's own administrators have that role.",
		Refs: Refs{
			CheatSheet: "Privilege Escalation Across Tenants: Exploiting admin functions to access other tenants.", CWE: []int{269, 863},
			Bugs: []string{"llmtrace #332"},
		},
		Scenarios:   []string{"audit/foreign-trail"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string {
				id, err := tenant.From(r.Context())
				if err != nil || id.Role != "admin" || !strings.HasSuffix(r.URL.Path, "/audit") {
					return ""
				}
				return r.URL.Query().Get("tenant")
			})
		},
	}
}
