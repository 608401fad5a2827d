package faults

import (
	"context"
	"errors"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/tenant"
)

func limitSkippedWithoutContext() Fault {
	return Fault{
		ID:      "limit-skipped-without-context",
		Mistake: "The limiter stands before the login, where nobody knows the tenant yet, and lets pass what has none.",
		Refs:    Refs{CheatSheet: "Tenant-Aware Rate Limiting", CWE: []int{770, 636}},
		// The cheat sheet's own middleware: "if not ctx: return await call_next(request)".
		Scenarios: []string{"limits/own-bucket"}, Indifferent: true,
		Plant: func(p *reference.Parts) {
			allow := p.API.Allow
			p.API.Allow = func(ctx context.Context) (ratelimit.Decision, error) {
				early := tenant.NewContext(ctx, tenant.Identity{})
				decision, err := allow(early)
				if errors.Is(err, tenant.ErrMissing) {
					return decision, nil
				}
				return decision, err
			}
		},
	}
}
