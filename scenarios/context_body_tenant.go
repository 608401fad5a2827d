package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func contextBodyTenant() harness.Scenario {
	return harness.Scenario{
		ID:    "context/body-tenant",
		Claim: "a body that names another tenant neither plants nor moves an object there",
		Why: "A binder that fills a whole row from the body fills its tenant too: objects appear in a foreign tenant, or move out of " +
			"the own one into it.",
		Fix: "Bind to a type that has no tenant, refuse unknown members, and set the tenant of a row from the context.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Never trust client-supplied tenant IDs without validation.",
				"Tenant Context Injection",
				"Propagate tenant context securely through all application layers.",
			},
			CWE: []int{915}, OWASP: []string{"API3"}, Techniques: []string{"6", "7"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Create, harness.Update, harness.Patch}},
		Attack: func(ctx context.Context, w *harness.World) error {
			id, name := w.VictimTenant()
			members := tenantMembers
			for _, s := range w.Surface().Selectors {
				if s.In == harness.InBody {
					members = append([]string{s.Name}, members...)
				}
			}
			sent := false
			for _, verb := range []harness.Verb{harness.Create, harness.Update, harness.Patch} {
				// One at a time: a strict service refuses unknown members, and must not be saved by the ones it does not know.
				for _, member := range members {
					c, ok := w.Overwrite(verb, w.Mine())
					if !ok || c.Op.Body.Kind != "json" && c.Op.Body.Kind != "form" {
						break
					}
					c.Extra, c.Label = map[string]any{member: id}, member+" = victim's id"
					sent = true
					if w.Attack(ctx, c); member == "tenant" && name != "" {
						c, _ = w.Overwrite(verb, w.Mine())
						c.Extra, c.Label = map[string]any{member: name}, member+" = victim's name"
						w.Attack(ctx, c)
					}
				}
			}
			if !sent {
				return harness.Skip("no operation of %s takes a structured body", w.Resource().Name)
			}
			return nil
		},
	}
}
