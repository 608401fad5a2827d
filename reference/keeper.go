package reference

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// Retention is how long entries of a trail are kept: what a tier promises its tenants, and no longer.
func Retention(tier string) time.Duration {
	const day = 24 * time.Hour
	switch tier {
	case "enterprise":
		return 7 * 365 * day
	case "business":
		return 2 * 365 * day
	case "starter":
		return 365 * day
	default:
		return 90 * day
	}
}

// keepEvery is how often the trails are looked after. Several processes may do so at once.
const keepEvery = time.Hour

// KeepTrails goes once over the trails of all tenants: each is verified, its head is anchored, and what is older than its tier keeps
// is taken away. A trail that is broken is left as it is, as evidence. One that fails does not keep the others waiting.
func (p *Parts) KeepTrails(ctx context.Context) error {
	open, err := p.API.Tenants.Open(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, record := range open {
		if err := p.keepTrail(ctx, record); err != nil {
			errs = append(errs, fmt.Errorf("keep the trail of %s: %w", record.ID, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func (p *Parts) keepTrail(ctx context.Context, r store.Record) error {
	leave := p.API.Lifecycle.Enter(r.ID) // a tenant that is being closed waits until we are done
	defer leave()
	id, err := p.API.Gate(ctx, tenant.Identity{Tenant: r.ID, User: "keeper", Role: "operator"})
	if err != nil {
		return nil // it was closed meanwhile
	}
	ctx = tenant.NewContext(ctx, id)
	v, err := p.API.Audit.Verify(ctx)
	if err != nil {
		return err
	}
	if !v.Intact {
		p.API.Log.ErrorContext(ctx, "a trail is broken", "entry", v.Broken, "reason", v.Reason)
		return nil
	}
	_, err = p.API.Audit.Prune(ctx, p.Keys.Now().Add(-p.Retention(id.Tier)))
	return err
}

// keep looks after the trails until the service ends.
func (p *Parts) keep(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	p.Service.OnClose(func() { cancel(); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(keepEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := p.KeepTrails(ctx); err != nil && ctx.Err() == nil {
				p.API.Log.WarnContext(ctx, "not every trail was looked after", "error", err)
			}
		}
	}()
}
