package ratelimit_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/tenant"
)

// contender is a limiter of requests of tenants.
type contender struct {
	name  string
	admit func(ctx context.Context, id string) bool
}

func contenders(b *testing.B, client *redis.Client, perMinute, burst int) []contender {
	ours, theirs := ratelimit.New(client), redis_rate.NewLimiter(client)
	ours.Tiers = map[string]ratelimit.Tier{"x": {Burst: burst, PerMinute: perMinute, PerDay: 1_000_000_000}}
	limit := redis_rate.PerMinute(perMinute) // its burst is the limit of the minute
	return []contender{
		{"partywall", func(ctx context.Context, id string) bool {
			_, err := ours.Allow(as(ctx, id, "x"))
			return err == nil
		}},
		{"redis_rate", func(ctx context.Context, id string) bool {
			result, err := theirs.Allow(ctx, id, limit)
			if err != nil {
				b.Error(err)
			}
			return err == nil && result.Allowed > 0
		}},
	}
}

// engine is the Redis at PARTYWALL_REDIS, which is emptied, or one in this process, which costs the same two cores.
func engine(b *testing.B) *redis.Client {
	options := &redis.Options{Addr: miniredis.RunT(b).Addr(), DisableIdentity: true}
	if url := os.Getenv("PARTYWALL_REDIS"); url != "" {
		var err error
		if options, err = redis.ParseURL(url); err != nil {
			b.Fatal(err)
		}
	}
	client := redis.NewClient(options)
	b.Cleanup(func() { _ = client.Close() })
	if err := client.FlushDB(b.Context()).Err(); err != nil {
		b.Fatal(err)
	}
	return client
}

// BenchmarkLimiters measures decisions and their 99th percentile side by side with go-redis/redis_rate on one Redis, of a thousand
// tenants on the tier business, sixteen at a time.
func BenchmarkLimiters(b *testing.B) {
	client := engine(b)
	for _, c := range contenders(b, client, 1000, 100) {
		b.Run(c.name, func(b *testing.B) {
			var mu sync.Mutex
			var all []time.Duration
			var next atomic.Int64
			b.SetParallelism(max(1, 16/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(p *testing.PB) {
				var took []time.Duration
				for p.Next() {
					began := time.Now()
					c.admit(b.Context(), fmt.Sprint("tenant ", next.Add(1)%1000))
					took = append(took, time.Since(began))
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, took...)
			})
			slices.Sort(all)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// BenchmarkWorstMinute counts how much of a minute's limit passes in the worst of all minutes, for a tenant that sends all the time.
// The clock is that of an in-process Redis.
func BenchmarkWorstMinute(b *testing.B) {
	m := miniredis.RunT(b)
	client := redis.NewClient(&redis.Options{Addr: m.Addr(), DisableIdentity: true})
	b.Cleanup(func() { _ = client.Close() })
	for _, c := range contenders(b, client, 300, 50) {
		b.Run(c.name, func(b *testing.B) {
			worstOfAll := 0
			for range b.N {
				var times []time.Time
				from := time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)
				for at := from; at.Before(from.Add(2 * time.Minute)); at = at.Add(50 * time.Millisecond) {
					m.SetTime(at)
					for c.admit(b.Context(), "tenant") {
						times = append(times, at)
					}
				}
				worstOfAll = max(worstOfAll, worst(times))
				m.FlushAll()
			}
			b.ReportMetric(float64(worstOfAll)/300, "of-the-limit")
		})
	}
}

// BenchmarkMemory measures what a real Redis keeps of a tenant that has used up a minute; the one in this process cannot say.
func BenchmarkMemory(b *testing.B) {
	client := engine(b)
	if os.Getenv("PARTYWALL_REDIS") == "" {
		b.Skip("it needs a real Redis, named in PARTYWALL_REDIS")
	}
	for _, tier := range []string{"free", "starter", "business", "enterprise"} {
		b.Run(tier, func(b *testing.B) {
			l, now := ratelimit.New(client), time.Now()
			l.Now = func() time.Time { return now }
			bytes := int64(0)
			for range b.N {
				for range l.Tiers[tier].PerMinute {
					if _, err := l.Allow(as(b.Context(), tier, tier)); err != nil {
						b.Fatal(err)
					}
					now = now.Add(time.Minute / time.Duration(l.Tiers[tier].PerMinute))
				}
				key := ratelimit.Key(tenant.ID(tier))
				minute, err := client.MemoryUsage(b.Context(), key+":minute").Result()
				if err != nil {
					b.Fatal(err)
				}
				day, err := client.MemoryUsage(b.Context(), key).Result()
				if err != nil {
					b.Fatal(err)
				}
				bytes = minute + day
			}
			b.ReportMetric(float64(bytes), "bytes")
		})
	}
}
