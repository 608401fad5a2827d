package harness

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Tier is what the tenants on it may use, as the service promises it. 0 is no limit.
type Tier struct {
	Name string `json:"name"`
	// Requests at once, in a minute and in a day.
	Burst     int `json:"burst,omitempty"`
	PerMinute int `json:"per_minute,omitempty"`
	PerDay    int `json:"per_day,omitempty"`
	// Objects are how many a tenant may have of each resource that has a quota.
	Objects map[string]int `json:"objects,omitempty"`
	// Stored: its tenants are given URLs of the object store. See Surface.Stored.
	Stored bool `json:"stored,omitempty"`
}

// check returns why a tier cannot be used.
func (t Tier) check(s *Surface) error {
	if t.Name == "" || t.Burst < 0 || t.PerMinute < 0 || t.PerDay < 0 {
		return fmt.Errorf("tier %q: it needs a name, and no number below 0", t.Name)
	}
	for name, n := range t.Objects {
		if n < 1 || !slices.ContainsFunc(s.Resources, func(r Resource) bool { return r.Name == name }) {
			return fmt.Errorf("tier %s: %d %s: it needs a resource of the surface, and at least one", t.Name, n, name)
		}
	}
	return nil
}

// Tiered is implemented by targets that can provision a tenant on a tier of their surface.
type Tiered interface {
	ProvisionOn(ctx context.Context, tier, name string) (Tenant, error)
}

// Clock is implemented by targets whose limits go by a clock that can be moved forward.
type Clock interface {
	Advance(ctx context.Context, d time.Duration) error
}

// limited is the first tier with a limit of requests, bounded the first that bounds a resource.
func (s *Surface) limited() (Tier, bool) {
	return s.tier(func(t Tier) bool { return t.PerMinute > 0 && t.Burst > 0 })
}

func (s *Surface) bounded(resource string) (Tier, bool) {
	return s.tier(func(t Tier) bool { return t.Objects[resource] > 0 && t.PerMinute == 0 })
}

func (s *Surface) tier(fits func(Tier) bool) (Tier, bool) {
	i := slices.IndexFunc(s.Tiers, fits)
	if i < 0 {
		return Tier{}, false
	}
	return s.Tiers[i], true
}

// LimitedTier is the one that scenarios about limits of requests use: the first that has any.
func (w *World) LimitedTier() (Tier, bool) { return w.surface.limited() }

// BoundedTier is the one that scenarios about quotas use: the first that bounds the resource, and limits no requests.
func (w *World) BoundedTier() (Tier, bool) { return w.surface.bounded(w.resource.Name) }

// Enrol provisions a fresh tenant on a tier, for this cell alone, and returns its first principal. It has used nothing yet.
func (w *World) Enrol(ctx context.Context, label string, t Tier) (Actor, error) {
	tiered, ok := w.door.target.(Tiered)
	if !ok {
		return Actor{}, Skip("the target has no tenants on a tier to give")
	}
	tenant, err := tiered.ProvisionOn(ctx, t.Name, names[len(w.cast.members)%len(names)])
	if err != nil {
		return Actor{}, fmt.Errorf("provision a tenant on the tier %s: %w", t.Name, err)
	}
	m := member{label: label, tenant: tenant}
	w.cast.members = append(w.cast.members, m)
	w.history.Tier = &t
	return m.actor(), nil
}

// Advance moves the clock of the target's limits forward. What is sent from now on is recorded with it.
func (w *World) Advance(ctx context.Context, d time.Duration) error {
	clock, ok := w.door.target.(Clock)
	if !ok {
		return Skip("the clock of the target's limits cannot be moved")
	}
	if err := clock.Advance(ctx, d); err != nil {
		return fmt.Errorf("move the target's clock by %s: %w", d, err)
	}
	w.ahead += d
	return nil
}

// Sent and Done are when an exchange began and ended by the clock of the target's limits, counted from the beginning of the run.
func (e *Exchange) Sent() time.Duration { return e.Begin + e.Ahead }

// Done is when the answer had come: see Sent.
func (e *Exchange) Done() time.Duration { return e.Sent() + e.Took }

// Refused tells whether a limiter refused the request: too many came, or a quota is used up.
func (e *Exchange) Refused() bool { return e.Response.limited() }
