package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func tokenClaimSwap() harness.Scenario {
	return harness.Scenario{
		ID:    "token/claim-swap",
		Claim: "a token whose tenant was rewritten under its old signature is refused",
		Why: "Code that decodes a token without verifying it works in every test with honest clients. Behind a gateway that is " +
			"thought to verify, it is common.",
		Fix: "Verify before you read a claim, in every service that reads one.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Bind tenant context to the authenticated user session.",
				"Derive tenant context from authenticated, verified tokens.",
				"Tenant Impersonation",
				"Skip tenant validation for \"internal\" services.",
			},
			CWE: []int{347, 345}, OWASP: []string{"API2"}, Techniques: []string{"16", "19"},
		},
		Needs: harness.Needs{Forger: true},
		Attack: func(ctx context.Context, w *harness.World) error {
			return forge(ctx, w, []forgery{
				{"victim's tenant, old signature", func(t *jwt) (string, error) { return t.with(t.signature) }},
				{"victim's tenant, no signature", func(t *jwt) (string, error) { return t.with("") }},
				{"victim's tenant, broken signature", func(t *jwt) (string, error) {
					return t.with("AAAA" + t.signature[min(4, len(t.signature)):])
				}},
			})
		},
	}
}
