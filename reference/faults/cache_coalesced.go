package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func cacheCoalesced() Fault {
	return Fault{
		ID: "cache-coalesced", Mistake: "Readers of a cold name wait for one load together, whichever tenant they are of.",
		Refs:        Refs{CheatSheet: "Prefix all cache keys with tenant identifier.", CWE: []int{362, 488}},
		Scenarios:   []string{"cache/coalescing"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.Cache.Flight = func(_ tenant.ID, space, name string) string { return space + ":" + name }
		},
	}
}
