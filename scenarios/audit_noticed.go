package scenarios

import (
	"context"
	"strings"

	"github.com/partywall/partywall/harness"
)

// attempts of one principal within a moment are as many as the cheat sheet raises an alarm at.
const attempts = 3

func auditNoticed() harness.Scenario {
	return harness.Scenario{
		ID:    "audit/noticed",
		Claim: "who reaches for another tenant's objects again and again is told to the operators, and who does not is not",
		Why: "Every wall is tried before it breaks. A service that answers 404 a thousand times and tells nobody gives the attacker all the time there " +
			"is.",
		Fix: "Count attempts by principal where all processes see it, raise an alert at the third within minutes, and name who tried. Count what somebody " +
			"else has, not what nobody has.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Monitor for cross-tenant access attempts.", "Set up alerts for tenant isolation violations.",
				"Audit & Compliance Gaps",
			},
			CWE: []int{778, 223}, OWASP: []string{"API8"}, Techniques: []string{"31"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}, Layers: []harness.Layer{harness.Alerts}, Lifecycle: true},
		Once:  true,
		Ends:  true, // tenants of which nothing is known yet
		Alone: true, // processes that answer in turn then share the attempts evenly
		Attack: func(ctx context.Context, w *harness.World) error {
			id, _ := w.AttackerTenant()
			victim := w.Actor(w.Victim())
			return w.Overhear(ctx, harness.Alerts, func() error {
				own, _ := w.CallFor(victim, harness.Read, w.Theirs())
				foreign, _ := w.Call(harness.Read, w.Theirs())
				foreign.Label = "again and again"
				for range attempts {
					w.Control(ctx, victim, own)
				}
				for range attempts {
					w.Attack(ctx, foreign)
				}
				return nil
			}, func(said string) bool { return strings.Contains(said, id) })
		},
		Judge: func(h *harness.History) (findings []harness.Finding, err error) {
			for _, e := range h.Observed(harness.Alerts) {
				said := string(e.Response.Body)
				for _, m := range h.Cast {
					accused := m.ID != "" && strings.Contains(said, m.ID)
					switch {
					case m.Label == h.Cell.Attacker && !accused:
						findings = append(findings, harness.Finding{
							Summary:  "nobody was told of a tenant that reached for another's object again and again",
							Attacker: m.Label, Victim: h.Cell.Victim, Channel: "alerts", Evidence: append(tries(h), e.ID),
						})
					case m.Label != h.Cell.Attacker && accused:
						findings = append(findings, harness.Finding{
							Summary:  "an alert accuses a tenant that kept to its own",
							Attacker: "the service", Victim: m.Label, Channel: "alerts", Evidence: []string{e.ID},
						})
					}
				}
			}
			return findings, nil
		},
	}
}

// tries are the first and the last attack.
func tries(h *harness.History) (ids []string) {
	for _, e := range h.Exchanges {
		if e.Purpose == harness.Attack {
			ids = append(ids, e.ID)
		}
	}
	if len(ids) < 2 {
		return ids
	}
	return []string{ids[0], ids[len(ids)-1]}
}
