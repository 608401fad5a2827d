package faults

import (
	"github.com/google/uuid"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/tenant"
)

func recycledID() Fault {
	return Fault{
		ID: "recycled-id", Mistake: "A tenant's id is derived from its name and files are not purged: the next tenant of the name inherits them.",
		Refs: Refs{
			CheatSheet: "Use cryptographically secure, non-guessable tenant identifiers.", CWE: []int{226, 340},
			Bugs: []string{"ZITADEL CVE-2026-55670", "WSO2 #4386"},
		},
		Scenarios: []string{"lifecycle/read-after-delete"},
		Plant: func(p *reference.Parts) {
			p.API.Lifecycle.NewID = func(slug string) tenant.ID {
				return tenant.ID(uuid.NewSHA1(uuid.NameSpaceDNS, []byte(slug)).String())
			}
			p.OwnerSQL = append(p.OwnerSQL, `create function revive() returns trigger language plpgsql as $$ begin
				update tenants set slug = new.slug, name = new.name, tier = new.tier, status = new.status, deleted_at = null, ending = false, claimed_until = new.claimed_until, delete_after = null
					where id = new.id and status = 'DELETED';
				if found then return null; end if;
				return new; end $$`,
				`create trigger revive before insert on tenants for each row execute function revive()`)
			forgotten(p, "files")
		},
	}
}
