package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func oracleExistence() harness.Scenario {
	return harness.Scenario{
		ID:    "oracle/existence",
		Claim: "nobody can tell a foreign object from one that does not exist",
		Why: "403 for foreign and 404 for unknown is a list of all ids. A name that is refused because another tenant uses it tells " +
			"who the customers are and what they work on.",
		Fix: "Answer alike for both, down to headers and bodies; make names unique within a tenant, never across.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Cross-Tenant Data Leakage",
				"Good example: Tenant-scoped resource access",
			},
			CWE: []int{204, 203}, OWASP: []string{"API1", "API3"}, Techniques: []string{"22", "23", "24", "38"},
			Bugs: []string{"open-mercato #1428", "open-mercato #2934", "WaveHouse #327"},
		},
		Needs:     harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read, harness.Create, harness.Delete, harness.Patch, harness.Update}},
		Anonymous: true,
		Twin:      true,
		Attack: func(ctx context.Context, w *harness.World) error {
			return w.Twin(ctx, func(ctx context.Context, side *harness.Side) error {
				if c, ok := w.Call(harness.Read, side.Target); ok {
					side.Attack(ctx, c)
				}
				for _, verb := range []harness.Verb{harness.Patch, harness.Update} {
					if c, ok := w.Overwrite(verb, side.Target); ok {
						side.Attack(ctx, c)
					}
				}
				if w.Attacker().Tenant != "" && w.Resource().Chosen == "" {
					takeNames(ctx, w, side)
				}
				if c, ok := w.Call(harness.Delete, side.Target); ok {
					side.Attack(ctx, c)
				}
				return nil
			})
		},
	}
}

// takeNames creates own objects under the target's unique values: whether that is refused must not depend on the victim.
func takeNames(ctx context.Context, w *harness.World, side *harness.Side) {
	for _, f := range w.Resource().Fields {
		if !f.Unique {
			continue
		}
		if c, ok := w.Overwrite(harness.Create, w.Mine()); ok {
			c.Values[f.Name], c.Label = side.Target.Values[f.Name], "own object under the target's "+f.Name
			side.Attack(ctx, c)
		}
	}
}
