package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func cacheSharedKey() harness.Scenario {
	return harness.Scenario{
		ID:    "cache/shared-key",
		Claim: "two tenants who use the same name do not meet in a cache",
		Why: "A cache key made of the name alone serves the tenant who came first to all others, or lets one tenant write what " +
			"another reads.",
		Fix: "Begin every key with the tenant, and write the owner into the entry, to be compared when it is read.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Prefix all cache keys with tenant identifier.",
				"Bad example: Shared cache without tenant isolation",
				"Use shared cache keys without tenant prefixes.",
				"Shared Resource Poisoning",
				"Set appropriate TTLs and validate tenant on cache retrieval.",
			},
			CWE: []int{524, 488}, OWASP: []string{"API1", "API8"}, Techniques: []string{"35", "36", "45"},
			Bugs: []string{"nocturne #321", "genblaze #68"},
		},
		Needs: harness.Needs{Objects: true, Chosen: true, Verbs: []harness.Verb{harness.Read}},
		Attack: func(ctx context.Context, w *harness.World) error {
			mine, theirs, err := w.Colliding(ctx, w.Resource(), w.Attacker().Tenant, w.Victim())
			if err != nil {
				return err
			}
			w.Watch(ctx, theirs) // reads as the victim, and so warms the cache
			c, ok := w.Call(harness.Read, mine)
			if !ok {
				return nil
			}
			c.Label = "own object under a name that the victim uses too"
			w.Attack(ctx, c)
			for _, verb := range []harness.Verb{harness.Update, harness.Patch} {
				if change, ok := w.Overwrite(verb, mine); ok {
					change.Label = c.Label
					w.Attack(ctx, change)
					w.Attack(ctx, c)
				}
			}
			return nil
		},
	}
}
