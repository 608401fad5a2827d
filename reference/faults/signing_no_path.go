package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/signing"
)

func signingNoPath() Fault {
	return Fault{
		ID: "signing-no-path", Mistake: "The path is not part of what is signed, for a proxy rewrites it on the way.",
		Refs:        Refs{CheatSheet: "Implement tenant-aware request signing for B2B APIs.", CWE: []int{345, 353}},
		Scenarios:   []string{"signing/tamper"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.API.Requests.Canonical = func(s signing.Signed, c signing.Call) string {
				c.Target = ""
				return signing.Canonical(s, c)
			}
		},
	}
}
