package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func idorDelete() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/delete",
		Claim: "a foreign id cannot be deleted, alone or in a batch",
		Why:   "A batch is checked on its first id and carried out on all of them. A delete that answers 404 may have deleted.",
		Fix:   "Put the tenant into the condition of the delete itself, for each id of a batch.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Implement authorization checks at the data access layer, not just API layer.",
				"Insecure Direct Object References (IDOR)",
				"Include tenant_id in all resource queries, cache keys, and storage paths.",
			},
			CWE: []int{639, 863}, OWASP: []string{"API1"}, Techniques: []string{"2", "33"}, Bugs: []string{"Hatchet CVE-2026-42572"},
		},
		Needs:     harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Delete, harness.Batch}},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			if c, ok := w.Call(harness.Delete, w.Theirs()); ok {
				for _, mix := range mixes(w, c) {
					w.Attack(ctx, mix)
				}
			}
			if c, ok := w.Call(harness.Batch, w.Theirs()); ok {
				c.IDs, c.Label = []string{w.Theirs().ID}, "batch of a foreign id"
				w.Attack(ctx, c)
				if w.Mine() != nil {
					c.IDs, c.Label = []string{w.Mine().ID, w.Theirs().ID}, "batch of an own id, then a foreign one"
					w.Attack(ctx, c)
				}
			}
			return nil
		},
	}
}
