package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func cacheCoalescing() harness.Scenario {
	return harness.Scenario{
		ID:    "cache/coalescing",
		Claim: "two tenants who ask for the same name at the same moment are answered apart",
		Why: "What protects a store from a thousand readers of one cold key lets them wait for the first one's answer. If the key they " +
			"wait under is the name alone, the answer goes to every tenant that asked.",
		Fix: "Make the tenant a part of the key under which requests are merged, as of the key under which answers are kept.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Prefix all cache keys with tenant identifier.",
				"Use shared cache keys without tenant prefixes.",
				"Shared Resource Poisoning",
			},
			CWE: []int{362, 488, 524}, OWASP: []string{"API1"}, Techniques: []string{"35"},
		},
		Needs: harness.Needs{Objects: true, Chosen: true, Verbs: []harness.Verb{harness.Read}},
		Attack: func(ctx context.Context, w *harness.World) error {
			const rounds, readers = 3, 3
			for range rounds {
				// Objects that nobody has read yet are in no cache.
				mine, theirs, err := w.Colliding(ctx, w.Resource(), w.Attacker().Tenant, w.Victim())
				if err != nil {
					return err
				}
				own, ok := w.Call(harness.Read, mine)
				if !ok {
					return nil
				}
				own.Label = "own object, cold, while the victim reads one of the same name"
				victim := w.Actor(w.Victim())
				other, _ := w.CallFor(victim, harness.Read, theirs)
				var reads []func()
				for range readers {
					reads = append(reads, func() { w.Prepare(ctx, victim, other) }, func() { w.Attack(ctx, own) })
				}
				w.Together(reads...)
			}
			return nil
		},
		Judge: harness.Overlapping,
	}
}
