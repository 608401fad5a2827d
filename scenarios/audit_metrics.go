package scenarios

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/partywall/partywall/harness"
)

func auditMetrics() harness.Scenario {
	return harness.Scenario{
		ID:    "audit/metrics",
		Claim: "metrics name neither tenants nor their people, and hold nothing of what they keep",
		Why: "Metrics are scraped without a login, shown on walls and sent to whoever hosts the dashboard: with a tenant in a label, each of them " +
			"can count another's customers.",
		Fix: "Let a keyed digest of its id stand for a tenant, bound how many of them are told apart, and take no label's value from a request.",
		Refs: harness.Refs{
			CheatSheet: []string{"Tenant-Aware Logging & Monitoring"}, CWE: []int{200, 532}, OWASP: []string{"API8"}, Techniques: []string{"30"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}, Layers: []harness.Layer{harness.Metrics}},
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			return w.Overhear(ctx, harness.Metrics, func() error { talkative(ctx, w); return nil }, func(said string) bool { return said != "" })
		},
		Judge: func(h *harness.History) ([]harness.Finding, error) {
			findings, err := leaking(h, harness.Metrics)
			for _, e := range h.Observed(harness.Metrics) {
				for _, m := range h.Cast {
					if label, what := labelled(string(e.Response.Body), m); label != "" {
						findings = append(findings, harness.Finding{
							Summary:  fmt.Sprintf("the metrics name %s in the label %s", what, label),
							Attacker: "the operator", Victim: m.Label, Channel: "metrics", Evidence: []string{e.ID},
						})
					}
				}
			}
			return findings, err
		},
	}
}

// labels of metrics in the text format of Prometheus.
var labels = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)

// labelled finds a label whose value is the id or the name of a tenant, or of somebody who acts for it. Ids are long, and found within
// values; names are words, and are the whole of one, or what stands before the "@" of an address.
func labelled(metrics string, m harness.Member) (label, what string) {
	for _, found := range labels.FindAllStringSubmatch(metrics, -1) {
		value := found[2]
		local, _, _ := strings.Cut(value, "@")
		switch {
		case len(m.ID) >= 8 && strings.Contains(value, m.ID):
			return found[1], "a tenant by its id"
		case value == m.Name || value == m.ID:
			return found[1], "a tenant"
		}
		for _, person := range m.People {
			if local == person {
				return found[1], "a person"
			}
		}
	}
	return "", ""
}
