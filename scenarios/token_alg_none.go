package scenarios

import (
	"context"

	"github.com/partywall/partywall/harness"
)

func tokenAlgNone() harness.Scenario {
	return harness.Scenario{
		ID:    "token/alg-none",
		Claim: "a token that says it needs no signature is refused",
		Why:   "RFC 7519 knows unsecured tokens. A verifier that lets the token choose its algorithm accepts claims of anybody.",
		Fix:   "Pin the algorithm in the verifier; never read it from the token.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Bind tenant context to the authenticated user session.",
				"Derive tenant context from authenticated, verified tokens.",
				"Tenant Impersonation",
			},
			CWE: []int{347}, OWASP: []string{"API2"}, Techniques: []string{"16"}, Bugs: []string{"CVE-2015-9235"},
		},
		Needs: harness.Needs{Forger: true},
		Attack: func(ctx context.Context, w *harness.World) error {
			var forgeries []forgery
			for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
				forgeries = append(forgeries, forgery{"alg=" + alg + ", no signature", func(t *jwt) (string, error) {
					t.header["alg"] = alg
					return t.with("")
				}})
			}
			forgeries = append(forgeries, forgery{"alg=none, old signature", func(t *jwt) (string, error) {
				t.header["alg"] = "none"
				return t.with(t.signature)
			}})
			return forge(ctx, w, forgeries)
		},
	}
}
