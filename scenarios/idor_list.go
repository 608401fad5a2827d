package scenarios

import (
	"context"
	"maps"
	"net/url"
	"slices"

	"github.com/partywall/partywall/harness"
)

func idorList() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/list",
		Claim: "lists and searches hold the own tenant's objects only",
		Why: "A list without a tenant filter shows everything to everybody. A filter joined by OR without brackets does so only for " +
			"the right search term.",
		Fix: "Build every query from a scope that already holds the tenant; let clients add conditions to it, never replace it.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Always validate that requested resources belong to the current tenant.",
				"Cross-Tenant Data Leakage",
				"Implement tenant-isolated audit trails.",
				"Allow queries without tenant filters (even for admins without explicit override).",
			},
			CWE: []int{639, 943}, OWASP: []string{"API1", "API3"}, Techniques: []string{"10", "28", "29", "31"},
			Bugs: []string{"OpenRisk #532", "Camunda #42789"},
		},
		Needs:     harness.Needs{Verbs: []harness.Verb{harness.List, harness.Search}},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			if c, ok := w.Call(harness.List, w.Theirs()); ok {
				if len(c.Resource.Slots(c.Op)) > 0 && w.Theirs() != nil {
					for _, mix := range mixes(w, c) {
						w.Attack(ctx, mix)
					}
				}
			}
			if c, ok := w.Call(harness.List, w.Mine()); ok {
				var plain *harness.Exchange
				for _, widen := range []url.Values{
					nil,
					{"all": {"true"}, "scope": {"all"}, "include_all": {"1"}},
					{"deleted": {"true"}, "trash": {"true"}, "archived": {"true"}},
					{"filter": {"*"}, "where": {"1=1"}, "expand": {"*"}, "fields": {"*"}},
					{"offset": {"0"}, "page": {"1"}, "per_page": {"1000"}},
				} {
					e := wide(ctx, w, c, widen)
					if widen == nil {
						plain = e
					}
					if len(widen) < 2 || !refuses(e, plain) {
						continue
					}
					for _, name := range slices.Sorted(maps.Keys(widen)) {
						wide(ctx, w, c, url.Values{name: widen[name]})
					}
				}
			}
			search(ctx, w)
			return nil
		},
	}
}

// wide lists with parameters that could widen what is shown.
func wide(ctx context.Context, w *harness.World, c harness.Call, widen url.Values) *harness.Exchange {
	c.Query, c.Label = widen, "list"
	if widen != nil {
		c.Label = "list, " + widen.Encode()
	}
	return w.Attack(ctx, c)
}

// search asks for pieces of the victim's values. They are too short to count as known, so what comes back with the rest
// of the value is a proof.
func search(ctx context.Context, w *harness.World) {
	c, ok := w.Call(harness.Search, w.Mine())
	if !ok {
		return
	}
	terms := []string{"", "%", "*", "' or '1'='1", "a"}
	if w.Theirs() != nil {
		for _, f := range w.Resource().Fields {
			if value := w.Theirs().Values[f.Name]; f.Type == harness.Text && f.Refers == "" && f.Fixed == "" && len(value) > 6 {
				terms = append(terms, value[:6])
			}
		}
	}
	for _, term := range terms {
		c.Values["query"], c.Label = term, "search for "+term
		w.Attack(ctx, c)
	}
}
