package ratelimit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/tenant"
)

// TestConformance: a burst passes at once, then one request for each interval, and one tenant's requests cost another
// nothing. Time is the test's own.
func TestConformance(t *testing.T) {
	m := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: m.Addr(), DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	now := time.Unix(1_800_000_000, 0)
	l := ratelimit.New(client)
	l.Now = func() time.Time { return now }
	l.Tiers = map[string]ratelimit.Limit{"x": {Rate: 10, Burst: 3, Period: time.Second}}
	greedy := tenant.NewContext(t.Context(), tenant.Identity{Tenant: "a", Tier: "x"})
	modest := tenant.NewContext(t.Context(), tenant.Identity{Tenant: "b", Tier: "x"})
	for i := range 5 {
		err := l.Allow(greedy)
		if passes := i < 3; passes != (err == nil) {
			t.Fatalf("request %d of a burst of 3: %v", i+1, err)
		}
	}
	var refusal *ratelimit.Refusal
	if err := l.Allow(greedy); !errors.As(err, &refusal) || refusal.RetryAfter != 100*time.Millisecond {
		t.Errorf("a refusal asks to wait: %v", err)
	}
	now = now.Add(refusal.RetryAfter)
	if err := l.Allow(greedy); err != nil {
		t.Errorf("after the wait that was asked for: %v", err)
	}
	if err := l.Allow(greedy); !errors.Is(err, ratelimit.ErrLimited) {
		t.Errorf("one interval lets one request pass: %v", err)
	}
	if err := l.Allow(modest); err != nil {
		t.Errorf("another tenant pays: %v", err)
	}
	if err := l.Allow(tenant.NewContext(t.Context(), tenant.Identity{Tenant: "c", Tier: "unknown"})); err == nil {
		t.Error("a tier without a limit passes")
	}
}
