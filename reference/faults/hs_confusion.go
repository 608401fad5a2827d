package faults

import (
	"crypto/x509"
	"encoding/pem"

	"github.com/golang-jwt/jwt/v5"

	"github.com/partywall/partywall/reference"
)

func hsConfusion() Fault {
	return Fault{
		ID: "hs-confusion", Mistake: "One key is configured for all algorithms, so a token may use the public key as a shared secret.",
		Refs: Refs{
			CheatSheet: "Bind tenant context to the authenticated user session.", CWE: []int{327, 347}, Bugs: []string{"CVE-2016-10555"},
		},
		Scenarios: []string{"token/foreign-key"},
		Plant: func(p *reference.Parts) {
			der, err := x509.MarshalPKIXPublicKey(p.Keys.Public())
			if err != nil {
				panic(err) // a key that was just made can be written
			}
			configured := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
			believed(p, orElse(withKey([]string{"HS256"}, func(*jwt.Token) (any, error) { return configured, nil }), p.Verifier))
		},
	}
}
