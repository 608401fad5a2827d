package faults

import (
	"context"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/signing"
)

func signingReplay() Fault {
	return Fault{
		ID: "signing-replay", Mistake: "A signature is good for as long as its time is: nobody remembers the nonces.",
		Refs:        Refs{CheatSheet: "Implement tenant-aware request signing for B2B APIs.", CWE: []int{294}},
		Scenarios:   []string{"signing/replay"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.API.Spend = func(context.Context, signing.Signed) error { return nil }
		},
	}
}
