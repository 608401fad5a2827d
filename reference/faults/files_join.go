package faults

import (
	"net/url"
	"path"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func filesJoin() Fault {
	return Fault{
		ID: "files-join", Mistake: "A file name is decoded once more and joined to the tenant's folder, so it can climb out of it.",
		Refs: Refs{
			CheatSheet: "Isolate file uploads by tenant with validated paths", CWE: []int{22}, Bugs: []string{"mimir #20", "Daytona CVE-2026-54319"},
		},
		Scenarios: []string{"storage/path-traversal"},
		Plant: func(p *reference.Parts) {
			folder := func(id tenant.ID) string { return "tenants/" + string(id) }
			p.API.Files.Prefix = func(id tenant.ID) string { return folder(id) + "/" }
			p.API.Files.Key = func(id tenant.ID, name string) (string, error) {
				if decoded, err := url.PathUnescape(name); err == nil {
					name = decoded
				}
				return path.Join(folder(id), name), nil
			}
			p.API.Files.Owned = func(tenant.ID, string) error { return nil }
		},
	}
}
