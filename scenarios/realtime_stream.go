package scenarios

import (
	"context"
	"net/http"
	"time"

	"github.com/partywall/partywall/harness"
)

// What happens while a stream is followed: so many objects are made, at this distance, so that some are made when it has begun.
const (
	happenings = 6
	distance   = 50 * time.Millisecond
)

func realtimeStream() harness.Scenario {
	return harness.Scenario{
		ID:    "realtime/stream",
		Claim: "who follows what happens is told of the own tenant's objects alone, from now on or from before",
		Why: "Streams are guarded when they are opened, and fed by a hub that knows topics and no tenants. A position to go on from is a number that " +
			"leads into everybody's past.",
		Fix: "Make the tenant of the context a part of the topic, compare the owner of each event before it is sent, and count positions within a tenant.",
		Refs: harness.Refs{
			CheatSheet: []string{"Cross-Tenant Data Leakage", "Shared Resource Poisoning"}, CWE: []int{862, 200}, OWASP: []string{"API1"},
			Techniques: []string{"50", "51"}, Bugs: []string{"Daytona CVE-2026-54324", "Nezha CVE-2026-47124"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Follow}},
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			follow, _ := w.Call(harness.Follow, w.Mine())
			follow.Label = "while the own tenant is busy"
			during(ctx, w, w.Attacker().Tenant, func() { w.Control(ctx, w.Attacker(), follow) })
			follow.Label = "while the victim is busy"
			during(ctx, w, w.Victim(), func() { w.Attack(ctx, follow) })
			for _, from := range []string{"0", "0-0", "1"} {
				follow.Header, follow.Label = http.Header{"Last-Event-Id": {from}}, "from the event "+from+" on"
				w.Attack(ctx, follow)
			}
			return nil
		},
	}
}

// during has a tenant make objects while something else goes on.
func during(ctx context.Context, w *harness.World, tenant string, act func()) {
	w.Together(act, func() {
		pace := time.NewTicker(distance)
		defer pace.Stop()
		for range happenings {
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
				_, _ = w.Create(ctx, tenant, w.Resource()) // one that fails is one that is not told of
			}
		}
	})
}
