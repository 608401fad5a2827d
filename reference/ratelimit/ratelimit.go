// Package ratelimit limits the requests of each tenant, so that one cannot starve the others.
//
// The algorithm is GCRA, the generic cell rate algorithm of ITU-T I.371: one number per tenant, the theoretical arrival
// time, kept in Redis and moved by one atomic script. The key is made of the verified tenant, never of an address or a
// header: a tenant cannot spend another's share.
package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Limit of a tier: Rate requests per Period, of which Burst may come at once. A zero Rate means no limit.
type Limit struct {
	Rate, Burst int
	Period      time.Duration
}

// Errors of this package. A limiter that does not work lets nobody pass.
var (
	ErrLimited     = errors.New("too many requests")         // wrapped by the error of a refused request
	ErrUnavailable = errors.New("the limiter does not work") // wraps what Redis says
)

// Refusal says when the next request will pass.
type Refusal struct{ RetryAfter time.Duration }

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("%v; retry in %s", ErrLimited, r.RetryAfter) }

// Unwrap makes errors.Is(err, ErrLimited) true.
func (r *Refusal) Unwrap() error { return ErrLimited }

// Limiter of the tenant in the context.
type Limiter struct {
	Client *redis.Client
	Tiers  map[string]Limit
	Now    func() time.Time
}

// New returns a limiter with the four tiers of the service, and three for tests, which have no limits.
func New(client *redis.Client) *Limiter {
	return &Limiter{Client: client, Now: time.Now, Tiers: map[string]Limit{
		"test": {}, "test-schema": {}, "test-database": {},
		"free":       {Rate: 60, Burst: 10, Period: time.Minute},
		"basic":      {Rate: 300, Burst: 30, Period: time.Minute},
		"pro":        {Rate: 1200, Burst: 100, Period: time.Minute},
		"enterprise": {Rate: 6000, Burst: 500, Period: time.Minute},
	}}
}

// Names of the tiers, sorted.
func (l *Limiter) Names() []string { return slices.Sorted(maps.Keys(l.Tiers)) }

// gcra moves the theoretical arrival time by one interval, unless that would exceed the burst. Microseconds throughout:
// they fit a Lua number exactly.
var gcra = redis.NewScript(`
local now, interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = tat - tolerance - now
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%d', tat + interval), 'PX', math.ceil((tat + interval - now) / 1000) + 1)
return 0`)

// Allow counts one request of the tenant. A refused one answers with a *Refusal.
func (l *Limiter) Allow(ctx context.Context) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	limit, known := l.Tiers[id.Tier]
	if !known {
		return fmt.Errorf("the tier %q has no limit defined", id.Tier)
	}
	if limit.Rate == 0 {
		return nil
	}
	interval := limit.Period.Microseconds() / int64(limit.Rate)
	wait, err := gcra.Run(ctx, l.Client, []string{key(id.Tenant)}, l.Now().UnixMicro(), interval, interval*int64(limit.Burst-1)).Int64()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if wait > 0 {
		return &Refusal{RetryAfter: time.Duration(wait) * time.Microsecond}
	}
	return nil
}

func key(id tenant.ID) string { return "limit:{" + string(id) + "}" }

// Purge forgets a tenant's count.
func (l *Limiter) Purge(ctx context.Context, id tenant.ID) error {
	if err := l.Client.Del(ctx, key(id)).Err(); err != nil {
		return fmt.Errorf("%w: purge: %w", ErrUnavailable, err)
	}
	return nil
}
