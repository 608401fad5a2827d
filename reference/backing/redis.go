package backing

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// bounded has a client of Redis give up when its request does, and try twice rather than for half a minute where the engine
// is away. What an address asks for otherwise stays.
func bounded(o *redis.Options) *redis.Options {
	o.ContextTimeoutEnabled = true
	if o.MaxRetries == 0 {
		o.MaxRetries = 1
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = reachWithin
	}
	if o.DialerRetries == 0 {
		o.DialerRetries = 1
	}
	for _, timeout := range []*time.Duration{&o.ReadTimeout, &o.WriteTimeout} {
		if *timeout == 0 {
			*timeout = 2 * time.Second
		}
	}
	return o
}
