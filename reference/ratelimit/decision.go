package ratelimit

import (
	"fmt"
	"time"
)

// A Budget is what is left of one limit.
type Budget struct {
	Name   string        // burst, minute or day
	Quota  int           // how many there are
	Window time.Duration // in which
	Left   int           // how many more would pass at once
	Reset  time.Duration // until there is one more
}

// A Decision says what is left of each limit, counting the request that it is about. A tier without limits, and a limiter that does
// not know, says nothing.
type Decision struct {
	PerMinute int // of the tier
	Budgets   []Budget
}

// Tightest is the budget that refuses first; ok is false where there is none. Of a refused request it is the one that lasts longest.
func (d Decision) Tightest() (tightest Budget, ok bool) {
	for _, b := range d.Budgets {
		if !ok || b.Left < tightest.Left || b.Left == tightest.Left && b.Reset > tightest.Reset {
			tightest, ok = b, true
		}
	}
	return tightest, ok
}

// Refusal says in what time the request would pass, if the tenant sent no other: not earlier, and not later.
type Refusal struct{ RetryAfter time.Duration }

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("%v; retry in %s", ErrLimited, r.RetryAfter) }

// Unwrap makes errors.Is(err, ErrLimited) true.
func (r *Refusal) Unwrap() error { return ErrLimited }

// interval at which requests of a tier may come for ever.
func (t Tier) interval() time.Duration { return time.Minute / time.Duration(t.PerMinute) }

// decision reads what the script answers.
func (t Tier) decision(answer [7]int64) (Decision, error) {
	micro := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	d := Decision{PerMinute: t.PerMinute, Budgets: []Budget{
		{Name: "burst", Quota: t.Burst, Window: time.Duration(t.Burst) * t.interval(), Left: int(answer[1]), Reset: micro(answer[2])},
		{Name: "minute", Quota: t.PerMinute, Window: time.Minute, Left: int(answer[3]), Reset: micro(answer[4])},
		{Name: "day", Quota: t.PerDay, Window: 24 * time.Hour, Left: int(answer[5]), Reset: micro(answer[6])},
	}}
	if answer[0] > 0 {
		return d, &Refusal{RetryAfter: micro(answer[0])}
	}
	return d, nil
}
