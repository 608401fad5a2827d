package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func cacheSharedKey() Fault {
	return Fault{
		ID: "cache-shared-key", Mistake: "The cache key is made of the name alone.",
		Refs: Refs{
			CheatSheet: "Bad example: Shared cache without tenant isolation", CWE: []int{524, 488}, Bugs: []string{"nocturne #321", "genblaze #68"},
		},
		Scenarios: []string{"cache/shared-key"},
		Plant: func(p *reference.Parts) {
			p.Cache.Key = func(_ tenant.ID, namespace, name string) (string, error) { return namespace + ":" + name, nil }
			p.Cache.Owns = func(tenant.ID, string) bool { return true }
		},
	}
}
