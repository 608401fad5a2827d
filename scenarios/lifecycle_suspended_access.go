package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func lifecycleSuspendedAccess() harness.Scenario {
	return harness.Scenario{
		ID:    "lifecycle/suspended-access",
		Claim: "while a tenant is suspended, nobody is let in to what belongs to it",
		Why: "A customer is suspended because it was taken over, or does not pay. The switch is looked at where people log in, and those who " +
			"are in already stay in.",
		Fix: "Look the state of the tenant up on every request, behind every way in, and not in a token.",
		Refs: harness.Refs{
			CheatSheet: []string{"Secure Tenant Lifecycle Management", "Validate tenant context on every API request."},
			CWE:        []int{613, 672}, OWASP: []string{"API2", "API5"}, Techniques: []string{"40"},
		},
		Needs: harness.Needs{Objects: true, Closer: true, Verbs: []harness.Verb{harness.Read}},
		Ends:  true,
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			return closed(ctx, w, harness.Suspended)
		},
	}
}
