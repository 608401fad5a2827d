package faults

import (
	"github.com/golang-jwt/jwt/v5"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/tenant"
)

func unverifiedClaims() Fault {
	return Fault{
		ID: "unverified-claims", Mistake: "Claims are decoded without verifying the signature, because the gateway is thought to have done it.",
		Refs: Refs{
			CheatSheet: "Bind tenant context to the authenticated user session.", CWE: []int{345, 347},
			Bugs: []string{"migration-planner CVE-2026-53471"},
		},
		Scenarios: []string{"token/claim-swap", "token/foreign-key"},
		Plant: func(p *reference.Parts) {
			believed(p, func(token string) (tenant.Identity, error) {
				var claims signing.Claims
				if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
					return tenant.Identity{}, signing.ErrToken
				}
				return claims.Identity(), nil
			})
		},
	}
}
