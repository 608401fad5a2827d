package faults

import (
	"context"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/monitor"
)

func attackUnnoticed() Fault {
	return Fault{
		ID: "attack-unnoticed", Mistake: "What was not found is not held against the ledger: only requests that show an attack by themselves are counted.",
		Refs:        Refs{CheatSheet: "Monitor for cross-tenant access attempts.", CWE: []int{778}},
		Scenarios:   []string{"audit/noticed"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			tally := p.Monitor.Tally
			p.Monitor.Tally = func(ctx context.Context, a monitor.Attempt) (int, error) {
				if a.Kind == monitor.Object {
					return 0, nil
				}
				return tally(ctx, a)
			}
		},
	}
}
