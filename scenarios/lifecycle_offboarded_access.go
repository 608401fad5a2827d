package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func lifecycleOffboardedAccess() harness.Scenario {
	return harness.Scenario{
		ID:    "lifecycle/offboarded-access",
		Claim: "once a tenant is offboarded, nobody is let in to what is kept of it until it is deleted",
		Why: "What a customer had is kept for some weeks after it left. Its sessions, keys and links were made for a longer time, and whoever " +
			"still holds one reads on: a former employee, the finder of a laptop.",
		Fix: "Close the tenant first, then revoke sessions, keys, invitations and links from one list, and look its state up on every request.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Secure Tenant Lifecycle Management", "Insecure Tenant Onboarding/Offboarding", "Retain tenant data indefinitely after offboarding.",
			},
			CWE: []int{613, 672}, OWASP: []string{"API2", "API5"}, Techniques: []string{"40"},
		},
		Needs: harness.Needs{Objects: true, Closer: true, Verbs: []harness.Verb{harness.Read}},
		Ends:  true,
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			return closed(ctx, w, harness.Offboarded)
		},
	}
}
