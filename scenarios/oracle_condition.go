package scenarios

import (
	"context"
	"net/http"

	"github.com/partywall/partywall/harness"
)

func oracleCondition() harness.Scenario {
	return harness.Scenario{
		ID:    "oracle/condition",
		Claim: "a conditional request tells nothing of a foreign object",
		Why:   "Preconditions are compared before anybody asks whose object it is: 412 says that there is one, 404 that there is none.",
		Fix:   "Look the object up with its tenant first, and compare conditions with what was found; what was not found has none.",
		Refs: harness.Refs{
			CheatSheet: []string{"Cross-Tenant Data Leakage"}, CWE: []int{203, 204}, OWASP: []string{"API1", "API8"}, Techniques: []string{"22", "38"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read, harness.Update, harness.Patch, harness.Delete}},
		Twin:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			return w.Twin(ctx, func(ctx context.Context, side *harness.Side) error {
				for _, condition := range []struct{ name, value string }{
					{"If-Match", `"1"`}, {"If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"}, {"If-None-Match", "*"},
				} {
					for _, verb := range []harness.Verb{harness.Read, harness.Update, harness.Patch, harness.Delete} {
						c, ok := w.Overwrite(verb, side.Target)
						if !ok || verb == harness.Read && condition.name == "If-None-Match" { // that is another scenario's
							continue
						}
						c.Header, c.Label = http.Header{condition.name: {condition.value}}, string(verb)+" on condition of "+condition.name
						side.Attack(ctx, c)
					}
				}
				return nil
			})
		},
	}
}
