package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func idorBatchRead() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/batch-read",
		Claim: "a batch brings no foreign object, wherever in it the foreign id stands",
		Why: "The first id of a list is checked and stands for all, or each is looked up by a query that was written for a job. The answer then holds " +
			"what the single route would refuse.",
		Fix: "Let one query with the tenant in it find all ids of a batch, and answer as if there were none where it finds fewer.",
		Refs: harness.Refs{
			CheatSheet: []string{"Always validate that requested resources belong to the current tenant.", "Insecure Direct Object References (IDOR)"},
			CWE:        []int{639, 863}, OWASP: []string{"API1"}, Techniques: []string{"33"}, Bugs: []string{"Hatchet CVE-2026-42572"},
		},
		Needs:     harness.Needs{Objects: true, Verbs: []harness.Verb{harness.BatchRead}},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			c, ok := w.Call(harness.BatchRead, w.Theirs())
			if !ok {
				return nil
			}
			theirs := w.Theirs().ID
			c.IDs, c.Label = []string{theirs}, "a foreign id"
			w.Attack(ctx, c)
			if w.Mine() == nil {
				return nil
			}
			mine := w.Mine().ID
			for _, ids := range [][]string{{mine, theirs}, {theirs, mine}, {mine, theirs, mine}, {theirs, theirs}} {
				c.IDs, c.Label = ids, "foreign and own ids"
				w.Attack(ctx, c)
			}
			return nil
		},
	}
}
