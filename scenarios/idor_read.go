package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func idorRead() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/read",
		Claim: "a foreign id reads nothing",
		Why: "The commonest flaw of all: the object is looked up by its id, and nobody asks whose it is. A path with two ids is " +
			"checked on the first and looked up by the second.",
		Fix: "Look objects up by tenant and id together, where the data lives, and answer as if a foreign one did not exist.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Always validate that requested resources belong to the current tenant.",
				"Insecure Direct Object References (IDOR)",
				"Cross-Tenant Data Leakage",
				"Bad example: Direct object reference without tenant validation",
				"Validate tenant ownership at the data access layer.",
				"Validate tenant ownership before serving files.",
			},
			CWE: []int{639}, OWASP: []string{"API1"}, Techniques: []string{"1", "3", "4", "5"},
			Bugs: []string{"ShellHub CVE-2026-44423", "Daytona GHSA-qxvm-pcfm-qc39"},
		},
		Needs:     harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			c, ok := w.Call(harness.Read, w.Theirs())
			if !ok {
				return nil
			}
			for _, mix := range mixes(w, c) {
				w.Attack(ctx, mix)
			}
			throughReference(ctx, w)
			return nil
		},
	}
}

// throughReference makes an own object that refers to the victim's, and reads it: what expands a reference must ask
// whose it is.
func throughReference(ctx context.Context, w *harness.World) {
	if w.Mine() == nil {
		return
	}
	for _, f := range w.Resource().Fields {
		if f.Refers == "" || w.Theirs().Values[f.Name] == "" {
			continue
		}
		for _, verb := range []harness.Verb{harness.Patch, harness.Update} {
			c, ok := w.Overwrite(verb, w.Mine())
			if !ok {
				continue
			}
			c.Values[f.Name], c.Label = w.Theirs().Values[f.Name], "own object refers to foreign "+f.Refers
			w.Attack(ctx, c)
			if c, ok = w.Call(harness.Read, w.Mine()); ok {
				c.Label = "own object that refers to foreign " + f.Refers
				w.Attack(ctx, c)
			}
			break
		}
	}
}
