package scenarios

import (
	"context"
	"iter"
	"net/http"
	"net/url"

	"github.com/partywall/partywall/harness"
)

func contextDuplicate() harness.Scenario {
	return harness.Scenario{
		ID:    "context/duplicate",
		Claim: "a tenant that is named twice, or in a form that nobody expects, is not taken for another",
		Why: "The gateway looks at the first of two parameters and lets the request pass, the service binds the last. Or the check sees a text where the " +
			"binder sees a list.",
		Fix: "Take the tenant from the context alone; where a parameter must name it, refuse a request that names it more than once.",
		Refs: harness.Refs{
			CheatSheet: []string{"Never trust client-supplied tenant IDs without validation.", "Tenant Context Injection"},
			CWE:        []int{235, 436, 843}, OWASP: []string{"API1", "API8"}, Techniques: []string{"9", "10"}, Bugs: []string{"open-mercato #2665", "qmd #205"},
		},
		Front: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			own, _ := w.AttackerTenant()
			id, _ := w.VictimTenant()
			for _, c := range looks(w) {
				w.Plain(ctx, c)
			}
			headers := append(selectorsIn(w, harness.InHeader), "X-Tenant-ID", "X-Org-ID", "X-Scope-OrgID")
			parameters := append(selectorsIn(w, harness.InQuery), "tenant_id", "tenantId", "tenant", "org_id")
			for _, c := range looks(w) {
				for _, pair := range [][]string{{own, id}, {id, own}} {
					b := c
					b.Header, b.Label = http.Header{}, "headers that name two tenants"
					for _, name := range headers {
						b.Header[http.CanonicalHeaderKey(name)] = pair
					}
					w.Attack(ctx, b)
					for _, name := range parameters {
						b := c
						b.Query, b.Label = url.Values{name: pair}, name+" names two tenants"
						w.Attack(ctx, b)
					}
				}
				for _, name := range parameters {
					for form, value := range forms(own, id) {
						b := c
						b.Query, b.Label = url.Values{name + form: {value}}, name+form
						w.Attack(ctx, b)
					}
				}
			}
			return nil
		},
	}
}

// forms in which frameworks read lists, maps and operators from a parameter.
func forms(own, id string) iter.Seq2[string, string] {
	return func(yield func(form, value string) bool) {
		for _, form := range []string{"[]", "[0]", "[id]", "[$eq]", "[in]"} {
			if !yield(form, id) {
				return
			}
		}
		yield("[$ne]", own)
	}
}

// selectorsIn are the names that the surface says its clients use.
func selectorsIn(w *harness.World, place harness.Place) (names []string) {
	for _, s := range w.Surface().Selectors {
		if s.In == place {
			names = append(names, s.Name)
		}
	}
	return names
}
