package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func idorUpdate() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/update",
		Claim: "a foreign id cannot be written to",
		Why:   "Reads are tested, writes are trusted: four in ten real cases of broken object authorisation are in a write.",
		Fix:   "Put the tenant into the condition of the update itself, not into a read before it.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Use composite keys (tenant_id + resource_id) for all lookups.",
				"Insecure Direct Object References (IDOR)",
				"Shared Resource Poisoning",
				"Include tenant_id in all resource queries, cache keys, and storage paths.",
			},
			CWE: []int{639}, OWASP: []string{"API1"}, Techniques: []string{"2", "3", "45"}, Bugs: []string{"SigNoz #11830"},
		},
		Needs:     harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Update, harness.Patch}},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			for _, verb := range []harness.Verb{harness.Update, harness.Patch} {
				if c, ok := w.Overwrite(verb, w.Theirs()); ok {
					for _, mix := range mixes(w, c) {
						w.Attack(ctx, mix)
					}
				}
			}
			return nil
		},
	}
}
