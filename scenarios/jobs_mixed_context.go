package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func jobsMixedContext() harness.Scenario {
	return harness.Scenario{
		ID:    "jobs/mixed-context",
		Claim: "a worker that did a job of one tenant does the next one for the tenant that asked for it",
		Why: "Workers live longer than requests. A connection, a session or a variable of the thread that still holds the last tenant answers for the " +
			"next one, now and then, and never in a test with one tenant.",
		Fix: "Build the context of each job anew from its envelope, through the same gate as requests, and keep nothing of it in the worker.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Propagate tenant context securely through all application layers.", "Skip tenant validation for \"internal\" services.",
			},
			CWE: []int{488, 567}, OWASP: []string{"API1"}, Techniques: []string{"43"},
		},
		Needs: harness.Needs{Objects: true, Export: true},
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			for range 2 { // each tenant's job comes behind one of the other's
				made, err := w.Exports(ctx, w.Victim(), w.Attacker().Tenant, w.Victim())
				if err != nil {
					return err
				}
				for _, o := range made {
					if err := fetched(ctx, w, o); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
}
