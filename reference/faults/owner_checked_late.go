package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func ownerCheckedLate() Fault {
	return Fault{
		ID: "owner-checked-late", Mistake: "Files are found by their name alone; the owner is compared when the object is there already, and a foreign one is forbidden.",
		Refs:        Refs{CheatSheet: "Validate tenant ownership before serving files.", CWE: []int{204, 203, 696}},
		Scenarios:   []string{"oracle/existence"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.API.Files.Key = func(_ tenant.ID, name string) (string, error) { return "uploads/" + name, blobs.Valid(name) }
			p.API.Files.Owned = func(id tenant.ID, owner string) error {
				if blobs.Owned(id, owner) != nil {
					return store.ErrForbidden
				}
				return nil
			}
		},
	}
}
