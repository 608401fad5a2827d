package scenarios

import (
	"context"
	"strings"

	"github.com/partywall/partywall/harness"
)

func cacheKeyInjection() harness.Scenario {
	return harness.Scenario{
		ID:    "cache/key-injection",
		Claim: "a crafted name cannot reach another tenant's cache entry",
		Why: "A key is a text with separators. A name that holds the separator ends one part and begins the next: the tenant in the " +
			"key is then whatever the client wrote.",
		Fix: "Hash or validate every part that a client chose, and compare the owner that is written in the entry.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Implement cache key validation to prevent injection.",
				"Shared Resource Poisoning",
				"Set appropriate TTLs and validate tenant on cache retrieval.",
			},
			CWE: []int{74, 93}, OWASP: []string{"API8"}, Techniques: []string{"14", "37"},
		},
		Needs: harness.Needs{Objects: true, Chosen: true, Verbs: []harness.Verb{harness.Read}},
		Attack: func(ctx context.Context, w *harness.World) error {
			c, ok := w.Call(harness.Read, w.Theirs())
			if !ok {
				return nil
			}
			for _, name := range craftedNames(w) {
				c.Values["id"], c.Label = name, "crafted name "+printable(name)
				w.Attack(ctx, c)
			}
			return nil
		},
	}
}

// craftedNames are names that become the victim's key where a key is glued together: the victim's tenant and name behind
// every usual separator, absolute, climbing up, and behind a line break that ends a protocol's line.
func craftedNames(w *harness.World) []string {
	id, name := w.VictimTenant()
	object, space := w.Theirs().ID, w.Resource().Name
	var out []string
	for _, tenant := range []string{id, name} {
		if tenant == "" {
			continue
		}
		for _, sep := range []string{":", "/", `\`, "|", ".", "::"} {
			direct := tenant + sep + object
			spaced := tenant + sep + space + sep + object
			other := space + sep + tenant + sep + object
			out = append(out, direct, spaced, other)
			if sep == "/" || sep == `\` {
				up := ".." + sep
				out = append(out, up+direct, up+spaced, up+up+spaced, up+up+other)
			}
		}
		out = append(out, "{"+tenant+"}:"+object, "x\r\nGET "+tenant+":"+object)
	}
	return out
}

func printable(s string) string { return strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(s) }
