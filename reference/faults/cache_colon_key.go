package faults

import (
	"strings"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func cacheColonKey() Fault {
	return Fault{
		ID: "cache-colon-key", Mistake: "Names may hold colons, and one that does is taken to be a whole key with its tenant in front.",
		Refs:        Refs{CheatSheet: "Implement cache key validation to prevent injection.", CWE: []int{74, 93}},
		Scenarios:   []string{"cache/key-injection"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.Cache.Key = func(id tenant.ID, space, name string) (string, error) {
				if strings.Contains(name, ":") {
					return "t:" + name, nil
				}
				return "t:" + string(id) + ":" + space + ":" + name, nil
			}
			p.Cache.Owns = func(tenant.ID, string) bool { return true }
		},
	}
}
