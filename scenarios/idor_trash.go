package scenarios

import (
	"context"
	"errors"

	"github.com/partywall/partywall/harness"
)

var errNotTrashed = errors.New("what its owner deletes does not turn up in its trash: no trash can be looked at")

func idorTrash() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/trash",
		Claim: "what a tenant has thrown away is neither shown nor given back to another",
		Why: "Deleted objects leave the queries that everybody tests, and turn up in those that nobody does: the trash, and the route that takes them " +
			"out of it.",
		Fix: "Keep the tenant in every query on the table, those on rows that are marked as deleted included.",
		Refs: harness.Refs{
			CheatSheet: []string{"Include tenant_id in all resource queries, cache keys, and storage paths.", "Insecure Direct Object References (IDOR)"},
			CWE:        []int{639, 212}, OWASP: []string{"API1"}, Techniques: []string{"67", "41"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Trash, harness.Restore}},
		Attack: func(ctx context.Context, w *harness.World) error {
			thrown := map[string]*harness.Object{}
			for _, label := range []string{w.Victim(), w.Attacker().Tenant} {
				o, err := w.Create(ctx, label, w.Resource())
				if err != nil {
					return err
				}
				who := w.Actor(label)
				if c, ok := w.CallFor(who, harness.Delete, o); !ok || !w.Prepare(ctx, who, c).OK {
					return errNotTrashed
				}
				thrown[label] = o
				if c, ok := w.CallFor(who, harness.Trash, o); ok {
					c.Label = "the own trash"
					w.Control(ctx, who, c)
				}
			}
			theirs, mine := thrown[w.Victim()], thrown[w.Attacker().Tenant]
			if c, ok := w.CallFor(w.Attacker(), harness.Trash, mine); ok {
				c.Label = "the trash"
				w.Attack(ctx, c)
			}
			if c, ok := w.Call(harness.Restore, theirs); ok {
				c.Label = "the victim's object, out of its trash"
				w.Attack(ctx, c)
				c.Values, c.Label = mine.Values, "the own object, out of the trash"
				w.Control(ctx, w.Attacker(), c)
			}
			if c, ok := w.Call(harness.Read, theirs); ok {
				c.Label = "the victim's object, after that"
				w.Attack(ctx, c)
			}
			return nil
		},
	}
}
