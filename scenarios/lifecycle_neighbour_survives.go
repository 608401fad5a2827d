package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func lifecycleNeighbourSurvives() harness.Scenario {
	return harness.Scenario{
		ID:    "lifecycle/neighbour-survives",
		Claim: "deleting a tenant takes nothing from a neighbour whose name begins alike",
		Why: "Purges remove what begins with a name, a prefix or a pattern. Where the prefix does not end, or names fold into one, the purge of " +
			"one customer empties the next.",
		Fix: "Purge by exact prefixes that end in a separator, or by a digest of fixed length; keep names out of keys.",
		Refs: harness.Refs{
			CheatSheet: []string{"Ensure complete data deletion on tenant offboarding.", "Use tenant-prefixed paths for all file storage."},
			CWE:        []int{187, 668}, OWASP: []string{"API1"}, Techniques: []string{"40"},
		},
		Needs: harness.Needs{Objects: true, Chosen: true, Lifecycle: true, Verbs: []harness.Verb{harness.Read}}, // where names become keys
		Ends:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			namesake, err := w.Namesake(ctx)
			if err != nil {
				return err
			}
			kept, err := w.Create(ctx, namesake.Tenant, w.Resource())
			if err != nil {
				return err
			}
			w.Watch(ctx, kept)
			if _, err := w.End(ctx); err != nil {
				return err
			}
			if c, ok := w.Call(harness.Read, w.Theirs()); ok {
				c.Label = "a neighbour reads what was the victim's"
				w.AttackAs(ctx, namesake, c)
			}
			return nil
		},
	}
}
