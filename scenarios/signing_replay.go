package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func signingReplay() harness.Scenario {
	return harness.Scenario{
		ID:    "signing/replay",
		Claim: "a signed request that was sent once is refused when it comes again",
		Why: "A signed request in the log of a proxy is as good as a password for as long as it is accepted: whoever reads the log is " +
			"answered what its sender was.",
		Fix: "Sign a time and a nonce, refuse what is not recent, and remember the nonces of each tenant until their time has passed.",
		Refs: harness.Refs{
			CheatSheet: []string{"Implement tenant-aware request signing for B2B APIs."},
			CWE:        []int{294}, OWASP: []string{"API2"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read, harness.List}},
		Attack: func(ctx context.Context, w *harness.World) error {
			victim := w.Actor(w.Victim())
			_, signature := w.Programs(w.Victim())
			if signature == nil {
				return harness.Skip("the target signs no requests")
			}
			if !accepted(ctx, w, w.Victim(), signature, w.Theirs()) {
				return harness.Skip("%s are not for programs that sign", w.Resource().Name)
			}
			for _, verb := range []harness.Verb{harness.Read, harness.List} {
				c, ok := w.CallFor(victim, verb, w.Theirs())
				if !ok {
					continue
				}
				c.As, c.Label = &caught{Credential: signature}, "signed by the victim, sent"
				w.Control(ctx, victim, c)
				c.Label = "signed by the victim, sent again"
				w.Attack(ctx, c)
			}
			return nil
		},
	}
}
