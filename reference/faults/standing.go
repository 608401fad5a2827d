package faults

import (
	"context"
	"slices"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// alsoServed is a gate that lets tenants in a further state pass.
func alsoServed(p *reference.Parts, status store.Status) api.Gate {
	good := p.API.Gate
	return func(ctx context.Context, id tenant.Identity) (tenant.Identity, error) {
		record, err := p.API.Tenants.ByID(ctx, id.Tenant)
		if err != nil || record.Status != status {
			return good(ctx, id)
		}
		id.Slug, id.Tier, id.Home = record.Slug, record.Tier, record.Home
		return id, nil
	}
}

// keptAccess leaves the rows of some tables as they are when a tenant is offboarded.
func keptAccess(p *reference.Parts, tables ...string) {
	revoked := slices.DeleteFunc(store.TablesOfAccess(), func(name string) bool { return slices.Contains(tables, name) })
	for i := range p.API.Lifecycle.Revoke {
		if part := &p.API.Lifecycle.Revoke[i]; part.Name == "access" {
			part.Do = func(ctx context.Context, id tenant.ID) error { return store.Revoke(ctx, p.DB, revoked, id) }
		}
	}
}
