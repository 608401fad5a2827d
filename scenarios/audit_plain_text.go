package scenarios

import (
	"context"
	"strings"

	"github.com/partywall/partywall/harness"
)

func auditPlainText() harness.Scenario {
	return harness.Scenario{
		ID:    "audit/plain-text",
		Claim: "the log holds neither what tenants keep nor what lets them in",
		Why: "A log is read by more people than any table, is copied to other companies, and is kept for years. A token in it is a way in, and a " +
			"value in it is outside of every wall.",
		Fix: "Log routes, ids and outcomes. Pass every attribute through one redaction that knows the forms of credentials and lets no body, query or " +
			"header through.",
		Refs: harness.Refs{
			CheatSheet: []string{"Include tenant context in all log entries.", "Tenant-Aware Logging & Monitoring"},
			CWE:        []int{532, 200}, OWASP: []string{"API8"}, Techniques: []string{"31", "62"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}, Layers: []harness.Layer{harness.Log}},
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			lines := 0
			return w.Overhear(ctx, harness.Log, func() error { talkative(ctx, w); return nil }, func(said string) bool {
				before := lines
				lines = strings.Count(said, "\n")
				return lines > 0 && lines == before // nothing more is said
			})
		},
		Judge: func(h *harness.History) ([]harness.Finding, error) { return leaking(h, harness.Log) },
	}
}
