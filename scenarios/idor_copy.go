package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func idorCopy() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/copy",
		Claim: "nobody makes an own copy of a foreign object",
		Why: "The copy belongs to whoever asked for it, so that every check of the new object passes. Only the one place where the original is read " +
			"could have refused.",
		Fix: "Read the original through the same query as any other reader, with the tenant of who asks, in the statement that writes the copy.",
		Refs: harness.Refs{
			CheatSheet: []string{"Always validate that requested resources belong to the current tenant.", "Cross-Tenant Data Leakage"},
			CWE:        []int{639}, OWASP: []string{"API1"}, Techniques: []string{"65"}, Bugs: []string{"WeKnora CVE-2026-30857"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Copy}},
		Attack: func(ctx context.Context, w *harness.World) error {
			own, ok := w.Overwrite(harness.Copy, w.Mine())
			if !ok {
				return nil
			}
			own.Label = "a copy of an own object"
			w.Prepare(ctx, w.Attacker(), own)
			foreign, _ := w.Overwrite(harness.Copy, w.Theirs())
			for _, mix := range mixes(w, foreign) {
				w.Attack(ctx, mix)
			}
			return nil
		},
	}
}
