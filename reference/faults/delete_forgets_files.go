package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func deleteForgetsFiles() Fault {
	return Fault{
		ID:      "delete-forgets-files",
		Mistake: "Files lie in a folder of the tenant's name, and deleting a tenant leaves the folder to the next one of the name.",
		Refs: Refs{
			CheatSheet: "Ensure complete data deletion on tenant offboarding.", CWE: []int{459, 226}, Bugs: []string{"WSO2 #4386"},
		},
		Scenarios:   []string{"lifecycle/read-after-delete"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			name, files := byName(p), p.API.Files
			key, prefix, versions := files.Key, files.Prefix, files.VersionPrefix
			files.Key = func(id tenant.ID, file string) (string, error) { return key(name(id), file) }
			files.Prefix = func(id tenant.ID) string { return prefix(name(id)) }
			files.VersionPrefix = func(id tenant.ID, file string) string { return versions(name(id), file) }
			forgotten(p, "files")
		},
	}
}
