package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func jobsForeignExport() harness.Scenario {
	return harness.Scenario{
		ID:    "jobs/foreign-export",
		Claim: "an export holds what its own tenant has, and only that tenant can fetch it",
		Why: "Exports are written by a job that may read everything, with queries of its own, and lie about as files with an id. The filter that " +
			"every page has was never written there.",
		Fix: "Let exports read through the same repositories as requests, as the tenant that asked, and look the file up by tenant and id.",
		Refs: harness.Refs{
			CheatSheet: []string{"Implement data export for tenant portability.", "Skip tenant validation for \"internal\" services.", "Cross-Tenant Data Leakage"},
			CWE:        []int{639, 200}, OWASP: []string{"API1"}, Techniques: []string{"42"},
		},
		Needs: harness.Needs{Objects: true, Export: true},
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			made, err := w.Exports(ctx, w.Victim(), w.Attacker().Tenant)
			if err != nil {
				return err
			}
			for _, o := range made {
				if err := fetched(ctx, w, o); err != nil {
					return err
				}
			}
			theirs := downloading(made[0])
			theirs.Label = "the victim's export, by its id"
			w.Attack(ctx, theirs)
			return nil
		},
	}
}
