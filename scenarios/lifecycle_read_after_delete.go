package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func lifecycleReadAfterDelete() harness.Scenario {
	return harness.Scenario{
		ID:    "lifecycle/read-after-delete",
		Claim: "nothing of a deleted tenant reaches anybody: not its former users, not its successor, not a neighbour",
		Why: "A row is marked, a token lives on, a cache stays warm, a folder is forgotten. And the next customer of the same name " +
			"moves into what was left.",
		Fix: "Close the tenant first, purge every store from one list, check the tenant's state on every request, and never use an " +
			"id twice.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Ensure complete data deletion on tenant offboarding.",
				"Insecure Tenant Onboarding/Offboarding",
				"Implement complete data deletion for offboarding.",
				"Retain tenant data indefinitely after offboarding.",
				"Use cryptographically secure, non-guessable tenant identifiers.",
			},
			CWE: []int{672, 459, 226, 613}, OWASP: []string{"API1", "API2"}, Techniques: []string{"20", "40", "41"},
			Bugs: []string{"ZITADEL CVE-2026-55670", "WSO2 #1923"},
		},
		Needs: harness.Needs{Lifecycle: true, Verbs: []harness.Verb{harness.Read, harness.List}},
		Ends:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			if w.Attacker().Tenant != "" {
				for _, c := range looks(w) { // what a neighbour sees of the living is no flaw of deletion
					w.Plain(ctx, c)
				}
			}
			if c, ok := w.CallFor(w.Actor(w.Victim()), harness.Read, w.Theirs()); ok && w.Theirs() != nil { // what was read may be kept warm
				w.Control(ctx, w.Actor(w.Victim()), c)
			}
			former, err := w.End(ctx)
			if err != nil {
				return err
			}
			seek := func(as harness.Actor, who string) {
				if c, ok := w.Call(harness.Read, w.Theirs()); ok && w.Theirs() != nil {
					c.Label = who + " reads what was the victim's"
					w.AttackAs(ctx, as, c)
				}
				if c, ok := w.Call(harness.List, w.Theirs()); ok {
					c.Label = who + " lists"
					w.AttackAs(ctx, as, c)
				}
			}
			seek(former, "the former owner")
			seek(w.Attacker(), "a neighbour")
			successor, err := w.Succeed(ctx)
			if err != nil {
				return err
			}
			if c, ok := w.CallFor(successor, harness.List, w.Holding(successor.Tenant)); ok {
				c.Label = "the successor's own list"
				w.Control(ctx, successor, c)
			}
			seek(successor, "the successor")
			return nil
		},
	}
}
