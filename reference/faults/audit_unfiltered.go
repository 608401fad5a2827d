package faults

import (
	"strings"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func auditUnfiltered() Fault {
	return Fault{
		ID: "audit-unfiltered", Mistake: "The audit trail shows every tenant's entries to every tenant.",
		Refs: Refs{
			CheatSheet: "Audit & Compliance Gaps: Insufficient tenant-specific logging for regulatory requirements.", CWE: []int{862, 532},
			Bugs: []string{"OpenRisk #532", "Camunda #42789"},
		},
		Scenarios: []string{"idor/list"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.AuditList] = strings.Replace(p.DB.Statements[store.AuditList], `tenant_id = @tenant::uuid`, `@tenant <> ''`, 1)
		},
	}
}
