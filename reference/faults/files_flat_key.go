package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func filesFlatKey() Fault {
	return Fault{
		ID: "files-flat-key", Mistake: "All tenants' files lie in one folder; the owner is compared when reading, not when writing.",
		Refs: Refs{
			CheatSheet: "Isolate file uploads by tenant with validated paths", CWE: []int{639, 668}, Bugs: []string{"HFS #447"},
		},
		Scenarios: []string{"idor/update", "cache/shared-key"},
		Plant: func(p *reference.Parts) {
			p.API.Files.Key = func(_ tenant.ID, name string) (string, error) { return "uploads/" + name, nil }
		},
	}
}
