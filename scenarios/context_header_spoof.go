package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func contextHeaderSpoof() harness.Scenario {
	return harness.Scenario{
		ID:    "context/header-spoof",
		Claim: "a header that names another tenant changes nothing",
		Why: "Gateways pass the tenant on in a header such as X-Tenant-ID. A service that believes the same header from a client " +
			"lets everybody be everybody.",
		Fix: "Take the tenant from the verified session alone. Strip such headers at the edge, and refuse a request in which one " +
			"disagrees with the token.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Never trust client-supplied tenant IDs without validation.",
				"Validate tenant context on every API request.",
				"Tenant Context Injection",
				"Tenant Impersonation",
				"Bad example: Trusting client-supplied tenant ID",
				"Trust tenant IDs from client headers or request parameters.",
			},
			CWE: []int{290, 807}, OWASP: []string{"API1", "API2"}, Techniques: []string{"8"},
			Bugs: []string{"Bigcapital GHSA-2g96-86rw-qmvg"},
		},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			probe(ctx, w, namings(w, harness.InHeader, tenantHeaders))
			return nil
		},
	}
}
