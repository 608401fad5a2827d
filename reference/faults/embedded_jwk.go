package faults

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"

	"github.com/golang-jwt/jwt/v5"

	"github.com/partywall/partywall/reference"
)

func embeddedJWK() Fault {
	return Fault{
		ID: "embedded-jwk", Mistake: "A token that carries its own public key is verified with that key.",
		Refs: Refs{
			CheatSheet: "Bind tenant context to the authenticated user session.", CWE: []int{347}, Bugs: []string{"CVE-2018-0114"},
		},
		Scenarios: []string{"token/foreign-key"},
		Plant: func(p *reference.Parts) {
			believed(p, orElse(withKey([]string{"EdDSA"}, func(t *jwt.Token) (any, error) {
				jwk, _ := t.Header["jwk"].(map[string]any)
				x, _ := jwk["x"].(string)
				public, err := base64.RawURLEncoding.DecodeString(x)
				if err != nil || len(public) != ed25519.PublicKeySize {
					return nil, errors.New("no embedded key")
				}
				return ed25519.PublicKey(public), nil
			}), p.Verifier))
		},
	}
}
