package faults

import (
	"net/url"
	"path"
	"strings"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func filesReplaceDots() Fault {
	return Fault{
		ID: "files-replace-dots", Mistake: `A file name is made safe by lstrip("/") and replace("..", ""), and decoded once more after that.`,
		Refs: Refs{
			CheatSheet: "Secure Multi-Tenant File Storage", CWE: []int{22, 180, 182}, Bugs: []string{"the cheat sheet's own example"},
		},
		Scenarios:   []string{"storage/path-traversal"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			folder := func(id tenant.ID) string { return "tenants/" + string(id) }
			p.API.Files.Prefix = func(id tenant.ID) string { return folder(id) + "/" }
			p.API.Files.Key = func(id tenant.ID, name string) (string, error) {
				name = strings.ReplaceAll(strings.TrimLeft(name, "/"), "..", "")
				if decoded, err := url.PathUnescape(name); err == nil {
					name = decoded
				}
				return path.Join(folder(id), name), nil
			}
			p.API.Files.Owned = func(tenant.ID, string) error { return nil }
		},
	}
}
