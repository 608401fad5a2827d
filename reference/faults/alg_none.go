package faults

import (
	"github.com/golang-jwt/jwt/v5"

	"github.com/partywall/partywall/reference"
)

func algNone() Fault {
	return Fault{
		ID: "alg-none", Mistake: "The verifier accepts the algorithm that a token names, \"none\" included.",
		Refs: Refs{
			CheatSheet: "Bind tenant context to the authenticated user session.", CWE: []int{347}, Bugs: []string{"CVE-2015-9235"},
		},
		Scenarios: []string{"token/alg-none"},
		Plant: func(p *reference.Parts) {
			believed(p, orElse(withKey([]string{"none"}, func(*jwt.Token) (any, error) {
				return jwt.UnsafeAllowNoneSignatureType, nil
			}), p.Verifier))
		},
	}
}
