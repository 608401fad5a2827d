package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/partywall/partywall/harness"
)

func limitsEveryWindow() harness.Scenario {
	return harness.Scenario{
		ID:    "limits/every-window",
		Claim: "no sixty seconds hold more requests of a tenant than its tier allows for a minute, wherever they begin",
		Why: "A counter that is reset with the minute of the clock lets a whole limit pass before the boundary and another behind it: twice " +
			"what the service was built for, within seconds, whenever somebody wants it.",
		Fix: "Count over a window that slides: remember when the last requests came, or let a bucket refill so slowly that burst and refill " +
			"together stay below the limit.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Tenant-Aware Rate Limiting",
				"Implement per-tenant rate limiting and quotas.",
				"Apply tenant-specific API throttling.",
				"Noisy Neighbor Attacks",
			},
			CWE: []int{770, 799}, OWASP: []string{"API4"}, Bugs: []string{"envoyproxy/ratelimit #32", "letsencrypt/boulder #7780"},
		},
		Needs:  harness.Needs{Rates: true, Clock: true, Verbs: []harness.Verb{harness.List}},
		Limits: true, Once: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			tier, err := rates(w)
			if err != nil {
				return err
			}
			// Where the service's minutes begin is not known: a whole one is hammered, so that a boundary lies in it. Had the first
			// begun just behind a boundary, the second begins in the middle between two.
			for _, steps := range [][]time.Duration{
				{15 * time.Second, 15 * time.Second, 15 * time.Second, 14 * time.Second}, {20 * time.Second, 20 * time.Second},
			} {
				label := greedy + fmt.Sprint(len(steps))
				as, err := w.Enrol(ctx, label, tier)
				if err != nil {
					return err
				}
				flood(ctx, w, as, "as many as pass", tier.PerMinute+1)
				for _, step := range steps {
					if err := w.Advance(ctx, step); err != nil {
						return err
					}
					flood(ctx, w, as, "as many as pass, "+step.String()+" later", tier.PerMinute+1)
				}
				if err := w.Advance(ctx, 31*time.Second); err != nil {
					return err
				}
			}
			return nil
		},
		Judge: func(h *harness.History) (findings []harness.Finding, err error) {
			for _, steps := range []int{4, 2} {
				label := greedy + fmt.Sprint(steps)
				if over := overrun(h, label); over != nil {
					findings = append(findings, harness.Finding{
						Summary:  fmt.Sprintf("%d requests passed within %s; the tier %s allows %d in a minute", len(over), spread(over), h.Tier.Name, h.Tier.PerMinute),
						Attacker: label, Victim: h.Cell.Victim, Channel: "rate", Evidence: ends(over),
					})
				}
			}
			return findings, nil
		},
	}
}
