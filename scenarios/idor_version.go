package scenarios

import (
	"context"
	"fmt"
	"regexp"

	"github.com/partywall/partywall/harness"
)

func idorVersion() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/version",
		Claim: "no other version of the API shows what this one keeps to its tenant",
		Why:   "The version before was left running for one customer, the version to come has its middleware not wired yet. Both reach the same rows.",
		Fix:   "Let all versions stand on the same repositories and pass the same chain, and take down what nobody uses.",
		Refs: harness.Refs{
			CheatSheet: []string{"Validate tenant context on every API request.", "Implement authorization checks at the data access layer, not just API layer."},
			CWE:        []int{1059, 862}, OWASP: []string{"API9"}, Techniques: []string{"64"},
		},
		Needs:     harness.Needs{Verbs: []harness.Verb{harness.Read, harness.List}},
		Front:     true,
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			sent := false
			for _, c := range looks(w) {
				for _, path := range versions(c.Op.Path) {
					op := *c.Op
					op.Path = path
					other := c
					other.Op, other.Label = &op, "by way of "+path
					w.Attack(ctx, other)
					sent = true
				}
			}
			if !sent {
				return harness.Skip("the paths of %s have no version in them", w.Resource().Name)
			}
			return nil
		},
	}
}

var version = regexp.MustCompile(`^(/(?:[a-z]+/)?)v([0-9])/`)

// versions are a path as neighbouring versions would have it, and as one without any.
func versions(path string) (out []string) {
	found := version.FindStringSubmatch(path)
	if found == nil {
		return nil
	}
	rest := path[len(found[0]):]
	for n := range 4 {
		if number := fmt.Sprint(n); number != found[2] {
			out = append(out, found[1]+"v"+number+"/"+rest)
		}
	}
	return append(out, found[1]+rest, "/api/"+rest, "/internal/"+rest, found[1]+"v"+found[2]+"/internal/"+rest, found[1]+"beta/"+rest)
}
