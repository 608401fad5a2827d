package scenarios

import (
	"context"
	"net/http"
	"net/url"

	"github.com/partywall/partywall/harness"
)

func idorHiddenVerb() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/hidden-verb",
		Claim: "no way of saying another method in a request reaches a foreign object",
		Why: "Frameworks let a form say that it means DELETE. The guard is bound to the method that came over the wire, the handler to the one that the " +
			"framework makes of it.",
		Fix: "Switch method overrides off where browsers' forms are not served, and guard objects where they are looked up.",
		Refs: harness.Refs{
			CheatSheet: []string{"Implement authorization checks at the data access layer, not just API layer.", "Insecure Direct Object References (IDOR)"},
			CWE:        []int{650, 639}, OWASP: []string{"API1", "API9"}, Techniques: []string{"64"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}},
		Attack: func(ctx context.Context, w *harness.World) error {
			read, ok := w.Call(harness.Read, w.Theirs())
			if !ok {
				return nil
			}
			for _, hidden := range []string{http.MethodDelete, http.MethodPut, http.MethodPatch} {
				for _, wire := range []string{http.MethodGet, http.MethodPost} {
					op := *read.Op
					op.Method = wire
					c := read
					c.Op, c.Label = &op, wire+" that means "+hidden
					c.Header = http.Header{"X-Http-Method-Override": {hidden}, "X-Http-Method": {hidden}, "X-Method-Override": {hidden}}
					w.Attack(ctx, c)
					c.Header, c.Query = nil, url.Values{"_method": {hidden}}
					w.Attack(ctx, c)
				}
			}
			return nil
		},
	}
}
