package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func apikeyTenantConfusion() harness.Scenario {
	return harness.Scenario{
		ID:    "apikey/tenant-confusion",
		Claim: "an API key acts for its own tenant, whatever else the request names",
		Why: "A key is often looked up by itself, and the tenant is then taken from a header that client libraries send along. Who has any " +
			"key has everybody's data.",
		Fix: "Let the key name its tenant, look it up among that tenant's keys, and take the tenant from what was found.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Use separate API keys per tenant.",
				"Share API keys or credentials across tenants.",
				"Validate tenant context on every API request.",
				"Trust tenant IDs from client headers or request parameters.",
			},
			CWE: []int{639, 290, 863}, OWASP: []string{"API1", "API2"}, Techniques: []string{"8", "9"},
		},
		Attack: func(ctx context.Context, w *harness.World) error {
			key, _ := w.Programs(w.Attacker().Tenant)
			if key == nil {
				return harness.Skip("the target gives tenants no API key")
			}
			if !accepted(ctx, w, w.Attacker().Tenant, key, w.Mine()) {
				return harness.Skip("%s are not for programs with a key", w.Resource().Name)
			}
			look := func(label string, as harness.Credential, bend func(*harness.Call)) {
				for _, c := range looks(w) {
					if bend != nil {
						bend(&c)
					}
					c.As, c.Label = as, label
					w.Attack(ctx, c)
				}
			}
			for _, c := range looks(w) {
				c.As = key
				w.Plain(ctx, c)
			}
			for _, n := range append(namings(w, harness.InHeader, tenantHeaders), namings(w, harness.InQuery, tenantParameters)...) {
				look("own key, "+n.label, key, n.bend)
			}
			if change := renamed(w); change != nil {
				look("own key, with the victim's tenant in it", bent{Credential: key, change: change}, nil)
			}
			return nil
		},
	}
}
