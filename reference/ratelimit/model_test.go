package ratelimit_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/partywall/partywall/reference/ratelimit"
)

// model is the limiter as one would write it down: it remembers everything and looks through all of it.
type model struct {
	tier     ratelimit.Tier
	admitted []time.Time
	arrival  time.Time
}

func (m *model) passes(now time.Time) bool {
	minute, today := 0, 0
	for _, at := range m.admitted {
		if at.After(now.Add(-time.Minute)) {
			minute++
		}
		if at.Truncate(24 * time.Hour).Equal(now.Truncate(24 * time.Hour)) {
			today++
		}
	}
	interval := (time.Minute / time.Duration(m.tier.PerMinute)).Truncate(time.Microsecond)
	arrival := m.arrival
	if arrival.Before(now) {
		arrival = now
	}
	if minute >= m.tier.PerMinute || today >= m.tier.PerDay || arrival.Sub(now) > time.Duration(m.tier.Burst-1)*interval {
		return false
	}
	m.admitted, m.arrival = append(m.admitted, now), arrival.Add(interval)
	return true
}

// TestModel: whatever a tenant sends and whenever, the limiter decides as the model does; no minute holds more than its limit; a
// refusal changes nothing, and names the first microsecond at which the request passes.
func TestModel(t *testing.T) {
	c := start(t)
	cases := 0
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(1, 12).Draw(r, "limit")
		m := &model{tier: ratelimit.Tier{
			PerMinute: limit, Burst: rapid.IntRange(1, limit+2).Draw(r, "burst"), PerDay: rapid.IntRange(1, 4*limit).Draw(r, "quota"),
		}}
		c.Tiers = map[string]ratelimit.Tier{"x": m.tier}
		cases++
		ctx := as(t.Context(), fmt.Sprint("tenant ", cases), "x")
		c.now = time.Date(2027, 1, 15, 23, 50, 0, 0, time.UTC)
		steps := rapid.SliceOfN(rapid.OneOf(
			rapid.Just(int64(0)), rapid.Int64Range(1, 10), rapid.Int64Range(1, 20_000_000), rapid.Int64Range(59_999_999, 60_000_001),
			rapid.Just(int64(60_000_000/limit)), rapid.Just(int64(-1)), // until a refused request would pass
		), 1, 60).Draw(r, "steps")
		var told time.Time
		for _, step := range steps {
			if step >= 0 {
				c.now = c.now.Add(time.Duration(step) * time.Microsecond)
			} else if told.After(c.now) {
				c.now = told.Add(-time.Microsecond)
				if _, err := c.Allow(ctx); !errors.Is(err, ratelimit.ErrLimited) {
					r.Fatalf("a microsecond before it was told to come: %v", err)
				}
				c.now = told
			}
			d, err := c.Allow(ctx)
			var refusal *ratelimit.Refusal
			if refused := errors.As(err, &refusal); refused == m.passes(c.now) || err != nil && !refused {
				r.Fatalf("the model disagrees with %v", err)
			} else if refused {
				told = c.now.Add(refusal.RetryAfter)
			}
			ahead := 0
			for ahead <= limit && (&model{m.tier, append([]time.Time{}, m.admitted...), m.arrival}).passesTimes(c.now, ahead+1) {
				ahead++
			}
			if b, _ := d.Tightest(); b.Left != ahead {
				r.Fatalf("%d more would pass, it says %+v", ahead, b)
			}
		}
		if most := worst(m.admitted); most > limit {
			r.Fatalf("%d in one minute", most)
		}
	})
}

// passesTimes tells whether so many requests pass at once.
func (m *model) passesTimes(now time.Time, n int) bool {
	for range n {
		if !m.passes(now) {
			return false
		}
	}
	return true
}
