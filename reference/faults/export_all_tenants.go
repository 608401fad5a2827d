package faults

import (
	"maps"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/export"
	"github.com/partywall/partywall/reference/store"
)

func exportAllTenants() Fault {
	return Fault{
		ID: "export-all-tenants", Mistake: "The export has queries of its own, and the one for preferences forgot the tenant.",
		Refs:      Refs{CheatSheet: "Implement data export for tenant portability.", CWE: []int{639, 200}},
		Scenarios: []string{"jobs/foreign-export"},
		Walls:     []Wall{rowSecurity, ownRoom, roomByTier},
		Plant: func(p *reference.Parts) {
			good := p.Source
			p.Source = func() export.Source {
				db := *p.DB
				db.Statements = maps.Clone(p.DB.Statements)
				db.Statements[store.PreferenceList] = `select name, value from preferences where @tenant <> '' order by name limit 5000`
				from := good()
				from.Preferences = store.NewPreferences(&db)
				return from
			}
		},
	}
}
