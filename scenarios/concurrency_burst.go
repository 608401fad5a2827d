package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

// bursts of requests, so many at a time for each of the two tenants.
const (
	bursts     = 3
	burstWidth = 4
)

func concurrencyBurst() harness.Scenario {
	return harness.Scenario{
		ID:    "concurrency/burst",
		Claim: "requests of two tenants that are served at the same moment do not get in each other's way",
		Why: "Who is asking is kept where another request can overwrite it: a package's variable, a field of a shared handler, a connection that was not " +
			"reset. One request at a time, nothing is wrong.",
		Fix: "Carry the tenant in the context of the request and in nothing that outlives it. Run the tests with the race detector.",
		Refs: harness.Refs{
			CheatSheet: []string{"Propagate tenant context securely through all application layers.", "Shared Resource Poisoning"},
			CWE:        []int{362, 488}, OWASP: []string{"API1"}, Techniques: []string{"61", "60"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}},
		Attack: func(ctx context.Context, w *harness.World) error {
			victim := w.Actor(w.Victim())
			own, ok := w.Call(harness.Read, w.Mine())
			if !ok {
				return nil
			}
			list, lists := w.Call(harness.List, w.Mine())
			theirs, _ := w.CallFor(victim, harness.Read, w.Theirs())
			theirList, _ := w.CallFor(victim, harness.List, w.Theirs())
			own.Label, list.Label = "own object, beside the victim", "own list, beside the victim"
			for range bursts {
				var acts []func()
				for range burstWidth {
					acts = append(acts, func() { w.Attack(ctx, own) }, func() { w.Prepare(ctx, victim, theirs) })
					if lists {
						acts = append(acts, func() { w.Attack(ctx, list) }, func() { w.Prepare(ctx, victim, theirList) })
					}
				}
				w.Together(acts...)
			}
			return nil
		},
		Judge: harness.Overlapping,
	}
}
