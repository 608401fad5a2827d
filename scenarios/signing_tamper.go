package scenarios

import (
	"context"
	"net/http"
	"strings"

	"github.com/partywall/partywall/harness"
)

func signingTamper() harness.Scenario {
	return harness.Scenario{
		ID:    "signing/tamper",
		Claim: "a signature is good for the tenant, method, path, query and body that were signed, and for no other",
		Why: "What is left out of the text that is signed is the client's to change: a signature that was caught on a harmless request opens " +
			"another path, and one's own secret signs for somebody else.",
		Fix: "Sign tenant, method, path with query, and a digest of the body; find the secret by the tenant that is signed.",
		Refs: harness.Refs{
			CheatSheet: []string{"Implement tenant-aware request signing for B2B APIs."},
			CWE:        []int{345, 347, 353}, OWASP: []string{"API2"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}},
		Attack: func(ctx context.Context, w *harness.World) error {
			_, own := w.Programs(w.Attacker().Tenant)
			_, theirs := w.Programs(w.Victim())
			if own == nil || theirs == nil {
				return harness.Skip("the target signs no requests")
			}
			if !accepted(ctx, w, w.Victim(), theirs, w.Theirs()) || !accepted(ctx, w, w.Attacker().Tenant, own, w.Mine()) {
				return harness.Skip("%s are not for programs that sign", w.Resource().Name)
			}
			if change := renamed(w); change != nil {
				look(ctx, w, func(c *harness.Call) {
					c.As, c.Label = bent{Credential: own, change: change}, "signed by the attacker in the victim's name"
				})
			}
			misuse(ctx, w, theirs)
			return nil
		},
	}
}

// misuse moves signatures that the victim made for harmless requests to others.
func misuse(ctx context.Context, w *harness.World, signature harness.Credential) {
	over := func(verb harness.Verb, label string, made func(r *http.Request)) {
		c, ok := w.Overwrite(verb, w.Theirs())
		if verb == harness.Read || verb == harness.List || verb == harness.Delete {
			c, ok = w.Call(verb, w.Theirs())
		}
		if ok {
			c.As, c.Label = bent{Credential: signature, over: made}, "signed by the victim for "+label
			w.Attack(ctx, c)
		}
	}
	if other := w.Holding(w.Victim()); other != nil && other.ID != w.Theirs().ID {
		over(harness.Read, "another path", func(r *http.Request) {
			to := *r.URL
			to.Opaque = strings.ReplaceAll(to.Opaque, w.Theirs().ID, other.ID)
			to.Path = strings.ReplaceAll(to.Path, w.Theirs().ID, other.ID)
			r.URL = &to
		})
	}
	over(harness.List, "another query", func(r *http.Request) {
		to := *r.URL
		to.RawQuery = "limit=1"
		r.URL = &to
	})
	for _, verb := range []harness.Verb{harness.Patch, harness.Update} {
		over(verb, "another body", func(r *http.Request) { withBody(r, "{}") })
	}
	over(harness.Delete, "another method", func(r *http.Request) { r.Method = http.MethodGet })
}
