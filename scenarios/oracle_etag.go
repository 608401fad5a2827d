package scenarios

import (
	"context"
	"net/http"

	"github.com/partywall/partywall/harness"
)

func oracleETag() harness.Scenario {
	return harness.Scenario{
		ID:    "oracle/etag",
		Claim: "the tag of a foreign object confirms nothing",
		Why: "304 says that an object exists and that its content is what the client takes it for. A cache that compares tags before anybody " +
			"has asked whose the object is says so to everybody, and tags that are made of the content can be guessed.",
		Fix: "Compare tags after the object was found among the tenant's own; make tags of a secret and the tenant; let shared caches know by " +
			"Vary and Cache-Control that an answer is one client's.",
		Refs: harness.Refs{
			CheatSheet: []string{"Cross-Tenant Data Leakage", "Prefix all cache keys with tenant identifier."},
			CWE:        []int{203, 204, 524}, OWASP: []string{"API1"}, Techniques: []string{"22", "38"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}},
		Twin:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			victim := w.Actor(w.Victim())
			tag := func(o *harness.Object) string {
				c, _ := w.CallFor(victim, harness.Read, o)
				return w.Prepare(ctx, victim, c).Response.Header.Get("ETag")
			}
			some := tag(w.Theirs())
			if some == "" {
				return harness.Skip("%s have no ETag", w.Resource().Name)
			}
			return w.Twin(ctx, func(ctx context.Context, side *harness.Side) error {
				its := tag(side.Target) // what is not there has none
				if its == "" {
					its = some
				}
				for _, condition := range []string{its, "W/" + its, "*"} {
					c, ok := w.Call(harness.Read, side.Target)
					if !ok {
						return nil
					}
					c.Header, c.Label = http.Header{"If-None-Match": {condition}}, "unless it has the victim's tag"
					side.Attack(ctx, c, its)
				}
				return nil
			})
		},
	}
}
