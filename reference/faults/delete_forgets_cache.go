package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func deleteForgetsCache() Fault {
	return Fault{
		ID:      "delete-forgets-cache",
		Mistake: "Cache keys begin with the tenant's name, and deleting a tenant leaves its entries: the next one of the name finds them warm.",
		Refs: Refs{
			CheatSheet: "Ensure complete data deletion on tenant offboarding.", CWE: []int{459, 226}, Bugs: []string{"ZITADEL CVE-2026-55670"},
		},
		Scenarios:   []string{"lifecycle/read-after-delete"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			name, key := byName(p), p.Cache.Key
			p.Cache.Key = func(id tenant.ID, space, entry string) (string, error) { return key(name(id), space, entry) }
			p.Cache.Owns = func(tenant.ID, string) bool { return true }
			forgotten(p, "cache")
		},
	}
}
