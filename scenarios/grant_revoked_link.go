package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func grantRevokedLink() harness.Scenario {
	return harness.Scenario{
		ID:    "grant/revoked-link",
		Claim: "a link that was taken back opens nothing",
		Why: "Revoking takes the link out of the list that its owner sees. Whoever was sent it still has it, and it still works, until a time that " +
			"nobody looks at.",
		Fix: "Look the grant up whenever it is used, and delete it when it is revoked. What cannot be looked up must live for minutes only.",
		Refs: harness.Refs{
			CheatSheet: []string{"Use signed URLs with tenant context embedded."}, CWE: []int{613, 672}, OWASP: []string{"API2"},
			Techniques: []string{"43", "66"}, Bugs: []string{"OpenTranscribe #907"},
		},
		Needs:     harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Revoke}},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			link, ok := w.Revoke(ctx, w.Theirs())
			if !ok {
				return errNoLink
			}
			if c, ok := w.Opening(link, w.Theirs()); ok {
				c.Label = "the link that was taken back"
				w.Attack(ctx, c)
			}
			return nil
		},
	}
}
