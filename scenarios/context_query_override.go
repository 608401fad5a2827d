package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func contextQueryOverride() harness.Scenario {
	return harness.Scenario{
		ID:    "context/query-override",
		Claim: "a query parameter that names another tenant changes nothing",
		Why: "A parameter that was meant for support staff, or for a time before there were tokens, often still wins over the " +
			"session.",
		Fix: "Read the tenant from the context and from nowhere else; let no binder fill it from the query.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Never trust client-supplied tenant IDs without validation.",
				"Tenant Context Injection",
				"Trust tenant IDs from client headers or request parameters.",
			},
			CWE: []int{639, 807}, OWASP: []string{"API1"}, Techniques: []string{"9", "10", "28"},
			Bugs: []string{"open-mercato #2665"},
		},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			probe(ctx, w, namings(w, harness.InQuery, tenantParameters))
			return nil
		},
	}
}
