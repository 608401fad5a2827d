package faults

import (
	"context"
	"sync"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func deleteKeepsAccess() Fault {
	return Fault{
		ID: "delete-keeps-access", Mistake: "Deleting a tenant marks it; its tokens, rows and files stay as they were.",
		Refs: Refs{
			CheatSheet: "Insecure Tenant Onboarding/Offboarding: Incomplete provisioning or data retention after deletion.",
			CWE:        []int{672, 613}, Bugs: []string{"traction #1348", "OpenTranscribe #907"},
		},
		Scenarios: []string{"lifecycle/read-after-delete"},
		Plant: func(p *reference.Parts) {
			p.API.Lifecycle.Purgers = nil
			var homes sync.Map // where a tenant's rows lie, as its processes still know when the registry has forgotten
			p.API.Gate = func(ctx context.Context, id tenant.Identity) (tenant.Identity, error) {
				record, err := p.API.Tenants.ByID(ctx, id.Tenant)
				if record.Home != "" {
					homes.Store(id.Tenant, record.Home)
				}
				home, _ := homes.Load(id.Tenant)
				id.Slug, id.Tier = record.Slug, record.Tier
				id.Home, _ = home.(string)
				return id, err
			}
		},
	}
}
