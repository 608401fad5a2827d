package faults

import (
	"path"
	"strings"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func cacheKeyJoin() Fault {
	return Fault{
		ID: "cache-key-join", Mistake: "The cache key is joined like a path, with backslashes turned around, so a name can climb out of its tenant.",
		Refs: Refs{
			CheatSheet: "Implement cache key validation to prevent injection.", CWE: []int{74, 22}, Bugs: []string{"HFS #475"},
		},
		Scenarios: []string{"cache/key-injection"},
		Plant: func(p *reference.Parts) {
			p.Cache.Key = func(id tenant.ID, namespace, name string) (string, error) {
				return path.Join(string(id), namespace, strings.ReplaceAll(name, `\`, "/")), nil
			}
			p.Cache.Owns = func(tenant.ID, string) bool { return true }
		},
	}
}
