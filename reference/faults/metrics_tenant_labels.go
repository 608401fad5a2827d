package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func metricsTenantLabels() Fault {
	return Fault{
		ID: "metrics-tenant-labels", Mistake: "The metrics name each tenant in a label, so that the dashboard can be read.",
		Refs:        Refs{CheatSheet: "Tenant-Aware Logging & Monitoring", CWE: []int{200}},
		Scenarios:   []string{"audit/metrics"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.Metrics.Label = func(id tenant.Identity) string { return id.Slug }
		},
	}
}
