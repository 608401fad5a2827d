package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func massassignID() harness.Scenario {
	return harness.Scenario{
		ID:    "massassign/id",
		Claim: "who creates an object does not choose the id of a foreign one for it",
		Why: "A binder that fills the whole row fills its key too. The insert becomes an upsert for idempotency's sake, and overwrites whatever has that " +
			"key.",
		Fix: "Draw ids on the server, refuse members that the type does not have, and make the tenant a part of every key.",
		Refs: harness.Refs{
			CheatSheet: []string{"Never trust client-supplied tenant IDs without validation.", "Insecure Direct Object References (IDOR)"},
			CWE:        []int{915, 639}, OWASP: []string{"API3"}, Techniques: []string{"6"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Create, harness.Update, harness.Patch}},
		Attack: func(ctx context.Context, w *harness.World) error {
			sent := false
			for _, verb := range []harness.Verb{harness.Create, harness.Update, harness.Patch} {
				for _, member := range []string{"id", "_id", "uuid", w.Resource().Name + "_id"} {
					c, ok := w.Overwrite(verb, w.Mine())
					if !ok || c.Op.Body.Kind != "json" && c.Op.Body.Kind != "form" {
						break
					}
					c.Extra, c.Label = map[string]any{member: w.Theirs().ID}, member+" = the victim's object"
					w.Attack(ctx, c)
					sent = true
				}
			}
			if !sent {
				return harness.Skip("no operation of %s takes a structured body", w.Resource().Name)
			}
			return nil
		},
	}
}
