package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func oracleValidation() harness.Scenario {
	return harness.Scenario{
		ID:    "oracle/validation",
		Claim: "what is wrong with a request is not told of a foreign object and kept back of one that does not exist",
		Why:   "The object is loaded, the body is checked, and only then is it asked whose it is: a body that is wrong on purpose tells which ids there are.",
		Fix:   "Validate what stands in the request before anything is loaded, and authorise in the query that loads.",
		Refs: harness.Refs{
			CheatSheet: []string{"Cross-Tenant Data Leakage", "Good example: Tenant-scoped resource access"},
			CWE:        []int{203, 209}, OWASP: []string{"API1"}, Techniques: []string{"23", "62"}, Bugs: []string{"WaveHouse #327"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Update, harness.Patch}},
		Twin:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			return w.Twin(ctx, func(ctx context.Context, side *harness.Side) error {
				for _, verb := range []harness.Verb{harness.Update, harness.Patch} {
					c, ok := w.Overwrite(verb, side.Target)
					if !ok {
						continue
					}
					for _, body := range []string{"", "{", "[]", `{"no-such-member":1}`, `{"` + anyField(w) + `":{}}`} {
						op := *c.Op
						op.Body = harness.Body{Kind: "raw", Type: "application/json", Raw: body}
						b := c
						b.Op, b.Label = &op, string(verb)+" with the body "+body
						side.Attack(ctx, b)
					}
				}
				return nil
			})
		},
	}
}
