package scenarios

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/partywall/partywall/harness"
)

func tokenKeyID() harness.Scenario {
	return harness.Scenario{
		ID:    "token/key-id",
		Claim: "a token does not choose the key that it is verified with",
		Why: "The id of the key is a header that nobody has verified yet. Where it becomes a path, a query or a URL, the attacker names a key that is " +
			"known: an empty file, a constant, its own server.",
		Fix: "Look the id up in a fixed set of keys and refuse every other; never let it, or an address beside it, lead anywhere.",
		Refs: harness.Refs{
			CheatSheet: []string{"Bind tenant context to the authenticated user session.", "Derive tenant context from authenticated, verified tokens."},
			CWE:        []int{347, 918, 22}, OWASP: []string{"API2"}, Techniques: []string{"18"}, Bugs: []string{"WSTG #1275"},
		},
		Needs: harness.Needs{Forger: true},
		Front: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			var forgeries []forgery
			for _, kid := range []string{
				"", "/dev/null", "../../../../../../dev/null", "file:///dev/null", "' or '1'='1", "x' union select '' -- ", "0", "null", "default",
			} {
				for _, key := range []string{"", "\x00"} {
					forgeries = append(forgeries, forgery{"kid " + kid + ", a key that everybody knows", func(t *jwt) (string, error) {
						t.header["alg"], t.header["kid"] = "HS256", kid
						return t.mac(key)
					}})
				}
			}
			return forge(ctx, w, forgeries)
		},
	}
}

// mac signs a token with a shared key.
func (t *jwt) mac(key string) (string, error) {
	text, err := t.signed()
	if err != nil {
		return "", err
	}
	sum := hmac.New(sha256.New, []byte(key))
	_, _ = sum.Write([]byte(text)) // it never fails
	return text + "." + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)), nil
}
