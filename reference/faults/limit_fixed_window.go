package faults

import (
	"context"
	"fmt"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/tenant"
)

func limitFixedWindow() Fault {
	return Fault{
		ID: "limit-fixed-window", Mistake: "Requests are counted in the minutes of the clock, as the cheat sheet's own example does.",
		Refs: Refs{
			CheatSheet: "Tenant-Aware Rate Limiting", CWE: []int{770, 799}, Bugs: []string{"envoyproxy/ratelimit #32"},
		},
		Scenarios: []string{"limits/every-window"}, Indifferent: true,
		Plant: func(p *reference.Parts) {
			l := p.Limiter
			p.API.Allow = func(ctx context.Context) (ratelimit.Decision, error) {
				id, err := tenant.From(ctx)
				tier := l.Tiers[id.Tier]
				if err != nil || tier.PerMinute == 0 {
					return ratelimit.Decision{}, err
				}
				now := l.Now()
				key := fmt.Sprintf("%s:%d", l.Key(id.Tenant), now.Unix()/60)
				count, err := l.Client.Incr(ctx, key).Result()
				if err == nil {
					err = l.Client.Expire(ctx, key, time.Minute).Err()
				}
				if err == nil && count > int64(tier.PerMinute) {
					err = &ratelimit.Refusal{RetryAfter: now.Truncate(time.Minute).Add(time.Minute).Sub(now)}
				}
				return ratelimit.Decision{}, err
			}
		},
	}
}
