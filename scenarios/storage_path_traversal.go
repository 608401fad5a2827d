package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func storagePathTraversal() harness.Scenario {
	return harness.Scenario{
		ID:    "storage/path-traversal",
		Claim: "a path cannot climb out of the own tenant's folder",
		Why: "Prefixes separate tenants only as long as no name holds a way out of its prefix: dots, encoded dots, backslashes, or " +
			"whatever a layer in between decodes once more.",
		Fix: "Validate names segment by segment after the last decoding, refuse what you do not expect, and compare the owner of " +
			"what you found.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Use tenant-prefixed paths for all file storage.",
				"Validate tenant ownership before serving files.",
				"Broken Tenant Isolation",
			},
			CWE: []int{22, 706}, OWASP: []string{"API1", "API8"}, Techniques: []string{"14", "15", "45"},
			Bugs: []string{"mimir #20", "Daytona CVE-2026-54319"},
		},
		Needs: harness.Needs{Objects: true, Chosen: true, Verbs: []harness.Verb{harness.Read, harness.Update}},
		Attack: func(ctx context.Context, w *harness.World) error {
			for _, verb := range []harness.Verb{harness.Read, harness.Update} {
				for _, climb := range climbs(w, verb == harness.Read) {
					c, ok := w.Call(verb, w.Theirs())
					if ok && verb == harness.Update {
						c, ok = w.Overwrite(verb, w.Theirs())
					}
					if !ok {
						break
					}
					c.RawID, c.Values["id"], c.Label = climb, climb, "path "+climb
					w.Attack(ctx, c)
				}
			}
			return nil
		},
	}
}

// climbs are ways from the own folder to the victim's object, byte for byte as they go over the wire.
func climbs(w *harness.World, deep bool) []string {
	id, name := w.VictimTenant()
	object := w.Theirs().ID
	ups := []string{"../", "..%2f", "%2e%2e%2f", "%2e%2e/", "..%252f", "%252e%252e%252f", "..%5c", "%2e%2e%5c", "....//", "..;/", "..%00/", "./../"}
	var out []string
	for _, tenant := range []string{id, name} {
		if tenant == "" {
			continue
		}
		for _, up := range ups {
			out = append(out, up+tenant+"/"+object)
			if deep {
				out = append(out, up+up+"tenants/"+tenant+"/"+object, "x/"+up+up+tenant+"/"+object)
			}
		}
		out = append(out, "%2f"+tenant+"/"+object, "%2ftenants/"+tenant+"/"+object)
	}
	return out
}
