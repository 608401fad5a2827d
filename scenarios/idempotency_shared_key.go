package scenarios

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/partywall/partywall/harness"
)

func idempotencySharedKey() harness.Scenario {
	return harness.Scenario{
		ID:    "idempotency/shared-key",
		Claim: "a request is not answered with what another tenant was answered under the same idempotency key",
		Why: "Clients make such keys of order numbers and dates: two of them use the same one. A service that remembers answers by the key " +
			"alone hands over the first one's, and drops what the second one asked for.",
		Fix: "Remember answers by tenant, user and key, and compare the method, the path and the digest of the body.",
		Refs: harness.Refs{
			CheatSheet: []string{"Cross-Tenant Data Leakage", "Validate tenant context on every API request.", "Shared Resource Poisoning"},
			CWE:        []int{488, 639}, OWASP: []string{"API1"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Create}},
		Attack: func(ctx context.Context, w *harness.World) error {
			if w.Resource().Chosen != "" {
				return harness.Skip("who chooses the ids of %s needs no idempotency key", w.Resource().Name)
			}
			create := func(key, label string) (harness.Call, bool) {
				c, ok := w.Overwrite(harness.Create, w.Mine())
				c.Header, c.Label = http.Header{"Idempotency-Key": {key}}, label
				return c, ok
			}
			number := func() string { return fmt.Sprintf("order-%016x", w.Rand().Uint64()) }
			own, ok := create(number(), "own request")
			if !ok {
				return nil
			}
			first, again := w.Prepare(ctx, w.Attacker(), own), w.Prepare(ctx, w.Attacker(), own)
			if !first.OK || !again.OK || !bytes.Equal(first.Response.Body, again.Response.Body) {
				return harness.Skip("a create of %s takes no idempotency key", w.Resource().Name)
			}
			key := number()
			theirs, _ := w.CallFor(w.Actor(w.Victim()), harness.Create, w.Theirs())
			theirs.Header, theirs.Label = http.Header{"Idempotency-Key": {key}}, "the victim's request"
			fresh := w.Values(w.Resource(), w.Victim())
			for _, f := range w.Resource().Fields {
				if f.Refers == "" {
					theirs.Values[f.Name] = fresh[f.Name]
				}
			}
			w.Prepare(ctx, w.Actor(w.Victim()), theirs)
			if c, ok := create(key, "own request under the victim's key"); ok {
				w.Attack(ctx, c)
			}
			return nil
		},
	}
}
