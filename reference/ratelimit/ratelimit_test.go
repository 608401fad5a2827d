package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/tenant"
)

// clock is a limiter whose time is the test's own.
type clock struct {
	*ratelimit.Limiter
	redis *miniredis.Miniredis
	now   time.Time
}

func start(t testing.TB) *clock {
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: m.Addr(), DisableIdentity: true, ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close(); m.Close() })
	c := &clock{Limiter: ratelimit.New(client), redis: m, now: time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)}
	c.Now = func() time.Time { return c.now }
	return c
}

func as(ctx context.Context, id, tier string) context.Context {
	return tenant.NewContext(ctx, tenant.Identity{Tenant: tenant.ID(id), Tier: tier})
}

// admitted sends some requests and returns how many passed.
func (c *clock) admitted(ctx context.Context, t testing.TB, n int) (passed int) {
	t.Helper()
	for range n {
		_, err := c.Allow(ctx)
		if err == nil {
			passed++
		} else if !errors.Is(err, ratelimit.ErrLimited) {
			t.Fatal(err)
		}
	}
	return passed
}

// TestConformance: a burst passes at once, then one request for each interval, and one tenant's requests cost another nothing.
func TestConformance(t *testing.T) {
	c := start(t)
	c.Tiers = map[string]ratelimit.Tier{"x": {Burst: 3, PerMinute: 600, PerDay: 1000}}
	greedy, modest := as(t.Context(), "a", "x"), as(t.Context(), "b", "x")
	if n := c.admitted(greedy, t, 5); n != 3 {
		t.Errorf("of a burst of three %d passed", n)
	}
	_, err := c.Allow(greedy)
	var refusal *ratelimit.Refusal
	if !errors.As(err, &refusal) || refusal.RetryAfter != 100*time.Millisecond {
		t.Fatalf("a refusal asks to wait: %v", err)
	}
	c.now = c.now.Add(refusal.RetryAfter - time.Microsecond)
	if n := c.admitted(greedy, t, 1); n != 0 {
		t.Error("it passes before the wait that was asked for")
	}
	c.now = c.now.Add(time.Microsecond)
	if n := c.admitted(greedy, t, 2); n != 1 {
		t.Errorf("after one interval %d passed", n)
	}
	if n := c.admitted(modest, t, 1); n != 1 {
		t.Error("another tenant pays")
	}
	if _, err := c.Allow(as(t.Context(), "c", "unknown")); !errors.Is(err, ratelimit.ErrTier) {
		t.Errorf("a tier without a limit: %v", err)
	}
	if _, err := c.Allow(t.Context()); !errors.Is(err, tenant.ErrMissing) {
		t.Errorf("nobody: %v", err)
	}
	if d, err := c.Allow(as(t.Context(), "d", "unlimited")); err == nil || d.Budgets != nil {
		t.Errorf("an unknown tier: %v, %v", d, err)
	}
}

// worst is how many requests came in the worst minute.
func worst(times []time.Time) (most int) {
	from := 0
	for i, at := range times {
		for !times[from].After(at.Add(-time.Minute)) {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// TestSteady: who sends what its tier allows for a minute, evenly, is never refused, for as long as the day's quota lasts.
func TestSteady(t *testing.T) {
	c := start(t)
	for _, name := range []string{"free", "starter", "business", "enterprise"} {
		tier := c.Tiers[name]
		ctx, from := as(t.Context(), name, name), c.now
		for i := range min(2*tier.PerMinute, tier.PerMinute+500) {
			c.now = from.Add(time.Duration(i) * time.Minute / time.Duration(tier.PerMinute))
			if _, err := c.Allow(ctx); err != nil {
				t.Fatalf("%s: request %d: %v", name, i+1, err)
			}
		}
	}
}

// TestWorstMinute: who sends whenever anything may pass gets the tier's limit in a minute, and not one more.
func TestWorstMinute(t *testing.T) {
	c := start(t)
	for _, name := range []string{"free", "starter", "business"} {
		tier, ctx := c.Tiers[name], as(t.Context(), name, name)
		var times []time.Time
		for end := c.now.Add(150 * time.Second); c.now.Before(end); {
			_, err := c.Allow(ctx)
			var refusal *ratelimit.Refusal
			switch {
			case err == nil:
				times = append(times, c.now)
			case errors.As(err, &refusal):
				c.now = c.now.Add(refusal.RetryAfter)
			default:
				t.Fatal(err)
			}
		}
		if most := worst(times); most != tier.PerMinute {
			t.Errorf("%s: %d requests in one minute, want %d", name, most, tier.PerMinute)
		}
	}
}

// TestDay: a quota lasts for one day in UTC, and Retry-After says when the next begins.
func TestDay(t *testing.T) {
	c := start(t)
	ctx, passed := as(t.Context(), "a", "free"), 0
	for ; passed < 1000; c.now = c.now.Add(time.Second) {
		passed += c.admitted(ctx, t, 1)
	}
	d, err := c.Allow(ctx)
	var refusal *ratelimit.Refusal
	midnight := time.Date(2027, 1, 16, 0, 0, 0, 0, time.UTC)
	if !errors.As(err, &refusal) || !c.now.Add(refusal.RetryAfter).Equal(midnight) {
		t.Errorf("request 1001: %v", err)
	}
	if b, _ := d.Tightest(); b.Name != "day" || b.Left != 0 || b.Reset != refusal.RetryAfter {
		t.Errorf("what refuses is %+v", b)
	}
	c.now = midnight.Add(-time.Microsecond)
	if n := c.admitted(ctx, t, 1); n != 0 {
		t.Error("it passes before midnight")
	}
	c.now = midnight
	if n := c.admitted(ctx, t, 20); n != 10 {
		t.Errorf("at midnight %d pass", n)
	}
}

// TestTierChange: a tenant that comes down to a lower tier waits until its last minute fits into that, and the wait is exact.
func TestTierChange(t *testing.T) {
	c := start(t)
	c.admitted(as(t.Context(), "a", "starter"), t, 50)
	c.now = c.now.Add(5 * time.Second)
	c.admitted(as(t.Context(), "a", "starter"), t, 25)
	free := as(t.Context(), "a", "free")
	_, err := c.Allow(free)
	var refusal *ratelimit.Refusal
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	c.now = c.now.Add(refusal.RetryAfter - time.Microsecond)
	if c.admitted(free, t, 1) != 0 {
		t.Error("it passes too early")
	}
	c.now = c.now.Add(time.Microsecond)
	if c.admitted(free, t, 1) != 1 {
		t.Error("it does not pass when it was told to come")
	}
}

// TestRace: of many requests at one moment, from many processes, exactly the burst passes, and exactly it is used up.
func TestRace(t *testing.T) {
	c := start(t)
	ctx := as(t.Context(), "a", "starter")
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 10 {
				if _, err := c.Allow(ctx); err == nil {
					passed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	c.now = c.now.Add(10 * time.Second)
	d, err := c.Allow(ctx)
	if err != nil || passed.Load() != 50 || d.Budgets[2].Left != 10_000-51 || d.Budgets[1].Left != 300-51 {
		t.Errorf("%d passed; then %+v, %v", passed.Load(), d, err)
	}
}

// TestSkewedClocks: a process whose clock is behind neither gains requests nor loses count.
func TestSkewedClocks(t *testing.T) {
	c := start(t)
	ctx := as(t.Context(), "a", "free")
	ahead := c.now
	passed := c.admitted(ctx, t, 6)
	c.now = ahead.Add(-2 * time.Second)
	passed += c.admitted(ctx, t, 20)
	if passed != 10 {
		t.Errorf("%d of a burst of ten passed", passed)
	}
}

// TestClockOfRedis: without a clock of its own the limiter goes by that of Redis.
func TestClockOfRedis(t *testing.T) {
	c := start(t)
	c.Now = nil
	ctx := as(t.Context(), "a", "free")
	c.redis.SetTime(time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC))
	if n := c.admitted(ctx, t, 20); n != 10 {
		t.Errorf("%d pass at once", n)
	}
	c.redis.SetTime(time.Date(2027, 1, 15, 8, 0, 3, 0, time.UTC))
	if n := c.admitted(ctx, t, 20); n != 3 {
		t.Errorf("%d pass three seconds later", n)
	}
}

// TestForgets: what is kept of a tenant goes when it is purged, and else when it means nothing any more.
func TestForgets(t *testing.T) {
	c := start(t)
	c.admitted(as(t.Context(), "a", "free"), t, 3)
	c.admitted(as(t.Context(), "b", "free"), t, 3)
	if err := c.Purge(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if keys := c.redis.Keys(); !slices.Equal(keys, []string{"limit:{b}", "limit:{b}:minute"}) {
		t.Errorf("there is %v", keys)
	}
	c.redis.FastForward(time.Minute)
	if keys := c.redis.Keys(); !slices.Equal(keys, []string{"limit:{b}"}) {
		t.Errorf("a minute later there is %v", keys)
	}
	c.redis.FastForward(24 * time.Hour)
	if keys := c.redis.Keys(); len(keys) > 0 {
		t.Errorf("a day later there is %v", keys)
	}
}

// TestWithout: who passes while Redis is away was decided by somebody.
func TestWithout(t *testing.T) {
	for policy, want := range map[ratelimit.Policy]int{ratelimit.Closed: 0, ratelimit.Open: 20, ratelimit.Local: 5, "nonsense": 0} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			c := start(t)
			c.Without, c.Nodes, c.Patience = policy, 2, time.Millisecond
			c.redis.Close()
			passed, ctx := 0, as(t.Context(), "a", "free")
			for range 20 {
				_, err := c.Allow(ctx)
				switch {
				case err == nil:
					passed++
				case errors.Is(err, ratelimit.ErrLimited) == errors.Is(err, ratelimit.ErrUnavailable):
					t.Fatal(err)
				}
			}
			if passed != want {
				t.Errorf("%d pass, want %d", passed, want)
			}
			gone, cancel := context.WithCancel(ctx)
			cancel()
			if _, err := c.Allow(gone); err == nil {
				t.Error("who has gone is let in")
			}
		})
	}
}

// TestLocalShare: processes that count by themselves admit together no more than the tier's limit in any minute.
func TestLocalShare(t *testing.T) {
	for nodes, share := range map[int]int{1: 60, 2: 30, 7: 8, 60: 1} {
		c := start(t)
		c.Without, c.Nodes, c.Patience = ratelimit.Local, nodes, time.Nanosecond
		var times []time.Time
		for end := c.now.Add(200 * time.Second); c.now.Before(end); {
			_, err := c.Allow(as(t.Context(), "a", "free"))
			var refusal *ratelimit.Refusal
			switch {
			case err == nil:
				times = append(times, c.now)
			case errors.As(err, &refusal):
				c.now = c.now.Add(refusal.RetryAfter)
			default:
				t.Fatal(err)
			}
		}
		if most := worst(times); most > share || most < share-1 {
			t.Errorf("one of %d nodes admits %d in a minute, want %d", nodes, most, share)
		}
	}
}
