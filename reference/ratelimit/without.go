package ratelimit

import (
	"context"
	"sync"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// A Policy says who passes while Redis does not answer. Each is somebody's right choice, so it is chosen and not left to happen.
type Policy string

// The policies.
const (
	Closed Policy = ""      // nobody: availability is given up for the limits
	Open   Policy = "open"  // everybody: the limits are given up for availability
	Local  Policy = "local" // each process counts by itself, and lets its share of a tenant's minute pass
)

// without decides about a request that nobody counts. Who has gone meanwhile is not let in.
func (l *Limiter) without(ctx context.Context, id tenant.ID, t Tier, cause error) (Decision, error) {
	switch {
	case ctx.Err() != nil:
		return Decision{}, cause
	case l.Without == Open:
		return Decision{}, nil
	case l.Without == Local:
		now := time.Now
		if l.Now != nil {
			now = l.Now
		}
		return Decision{}, l.local.allow(id, now(), t, max(1, l.Nodes))
	default:
		return Decision{}, cause
	}
}

// shares are what one process lets pass by itself: a GCRA for each tenant that has sent something lately. All processes together
// admit at most the tier's limit in every minute. The day is not counted.
type shares struct {
	mu      sync.Mutex
	arrival map[tenant.ID]time.Time // theoretical
}

// mostShares is how many tenants are remembered before those that have their whole share again are forgotten.
const mostShares = 10_000

func (s *shares) allow(id tenant.ID, now time.Time, t Tier, nodes int) error {
	share := max(1, t.PerMinute/nodes)
	burst := min(max(1, t.Burst/nodes), share)
	// In a minute come the burst and what the interval lets pass: together no more than the share.
	interval := time.Minute / time.Duration(max(1, share-burst))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.arrival == nil {
		s.arrival = map[tenant.ID]time.Time{}
	}
	if len(s.arrival) >= mostShares {
		for other, at := range s.arrival {
			if at.Before(now) {
				delete(s.arrival, other)
			}
		}
	}
	at := s.arrival[id]
	if at.Before(now) {
		at = now
	}
	if wait := at.Add(-interval * time.Duration(burst-1)).Sub(now); wait > 0 {
		return &Refusal{RetryAfter: wait}
	}
	s.arrival[id] = at.Add(interval)
	return nil
}

func (s *shares) forget(id tenant.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.arrival, id)
}
