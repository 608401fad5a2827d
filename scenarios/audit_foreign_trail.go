package scenarios

import (
	"context"
	"net/url"

	"github.com/partywall/partywall/harness"
)

func auditForeignTrail() harness.Scenario {
	return harness.Scenario{
		ID:    "audit/foreign-trail",
		Claim: "a trail is read by its own tenant alone, whatever role asks, and by whatever filter",
		Why: "A trail tells who works for a customer, on what, and when. Filters are written for the support staff, and the role that may use them is " +
			"called admin, as a tenant's own administrators are.",
		Fix: "Take the tenant from the context before any filter, and let operators read a trail through an explicit override that is itself on record.",
		Refs: harness.Refs{
			CheatSheet: []string{"Implement tenant-isolated audit trails.", "Privilege Escalation Across Tenants"},
			CWE:        []int{862, 863, 269}, OWASP: []string{"API1", "API5"}, Techniques: []string{"31", "63"},
			Bugs: []string{"OpenRisk #532", "llmtrace #332"},
		},
		Needs: harness.Needs{Trail: true, Verbs: []harness.Verb{harness.List}},
		Attack: func(ctx context.Context, w *harness.World) error {
			id, name := w.VictimTenant()
			victims := w.Actor(w.Victim()).Principal
			for i, who := range w.People(w.Attacker().Tenant) {
				list, ok := w.CallFor(who, harness.List, nil)
				if !ok {
					return errNoTrail
				}
				if i == 0 {
					w.Plain(ctx, list)
				}
				for _, filter := range []url.Values{
					{"tenant": {name}},
					{"tenant_id": {id}},
					{"tenantId": {id}},
					{"organization": {name}},
					{"org_id": {id}},
					{"scope": {"all"}},
					{"all": {"true"}},
					{"actor": {victims}},
					{"user": {victims}},
					{"from": {"1970-01-02T00:00:00Z"}, "to": {"2999-01-01T00:00:00Z"}},
				} {
					list.Query, list.Label = filter, "the trail, filtered by "+filter.Encode()
					w.AttackAs(ctx, who, list)
				}
			}
			return nil
		},
	}
}
