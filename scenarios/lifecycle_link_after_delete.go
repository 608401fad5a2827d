package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func lifecycleLinkAfterDelete() harness.Scenario {
	return harness.Scenario{
		ID:    "lifecycle/link-after-delete",
		Claim: "a link opens nothing any more once its object, or its tenant, was deleted",
		Why: "Links are made to be passed on, and live outside of the service's sessions. A copy that was kept for them, or a check that only looks " +
			"at the signature, shows to everybody what its owner has deleted.",
		Fix: "Look the object and the state of its tenant up each time that a link is used; keep nothing beside, and let links expire soon.",
		Refs: harness.Refs{
			CheatSheet: []string{"Use signed URLs with tenant context embedded.", "Ensure complete data deletion on tenant offboarding."},
			CWE:        []int{672, 613}, OWASP: []string{"API1", "API2"}, Techniques: []string{"40", "45"},
		},
		Needs: harness.Needs{Objects: true, Lifecycle: true, Verbs: []harness.Verb{harness.Link}},
		Ends:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			owner := w.Actor(w.Victim())
			short, err := w.Create(ctx, w.Victim(), w.Resource())
			if err != nil {
				return err
			}
			toShort, ok := w.Link(ctx, short)
			toTheirs, also := w.Link(ctx, w.Theirs())
			if !ok || !also {
				return errNoLink
			}
			open := func(as harness.Actor, link string, o *harness.Object, label string) {
				if c, ok := w.Opening(link, o); ok {
					c.Label = label
					w.AttackAs(ctx, as, c)
				}
			}
			if c, ok := w.CallFor(owner, harness.Delete, short); ok {
				w.Control(ctx, owner, c)
				open(w.Attacker(), toShort, short, "a link to what its owner has deleted")
			}
			former, err := w.End(ctx)
			if err != nil {
				return err
			}
			open(former, toTheirs, w.Theirs(), "the former owner's link")
			open(w.Attacker(), toTheirs, w.Theirs(), "a link of a tenant that was deleted")
			return nil
		},
	}
}
