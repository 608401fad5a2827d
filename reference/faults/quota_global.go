package faults

import (
	"context"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func quotaGlobal() Fault {
	return Fault{
		ID: "quota-global", Mistake: "The quota of a tenant is compared with how many documents there are of all tenants.",
		Refs:      Refs{CheatSheet: "Implement per-tenant rate limiting and quotas.", CWE: []int{770, 653}},
		Scenarios: []string{"limits/quota"}, Indifferent: true,
		Plant: func(p *reference.Parts) {
			quotas := p.DB.Quotas
			p.DB.Quotas = nil
			p.API.Documents = countedTogether{p.API.Documents, p, quotas}
		},
	}
}

type countedTogether struct {
	store.Documents
	parts  *reference.Parts
	quotas map[string]store.Quota
}

func (d countedTogether) Create(ctx context.Context, draft store.Draft) (store.Document, error) {
	id, err := tenant.From(ctx)
	quota := d.quotas[id.Tier].Documents
	if err != nil || quota == 0 {
		return d.Documents.Create(ctx, draft)
	}
	count, err := d.parts.Service.Redis.Incr(ctx, "quota:documents").Result()
	if err == nil && count > quota {
		err = store.ErrQuota
	}
	if err != nil {
		return store.Document{}, err
	}
	return d.Documents.Create(ctx, draft)
}
