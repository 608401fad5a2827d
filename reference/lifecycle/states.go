package lifecycle

import (
	"context"
	"fmt"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// A step of a tenant's life leads from some states to one. There are no others: what is not in the table is ErrState.
type step struct {
	from []store.Status
	to   store.Status
}

// The steps. Those that close a tenant begin in the state that they lead to as well: where it was closed and then something failed,
// they are repeated.
var (
	admit   = step{[]store.Status{store.Provisioning}, store.Active}
	suspend = step{[]store.Status{store.Active, store.Suspended}, store.Suspended}
	resume  = step{[]store.Status{store.Suspended}, store.Active}
	closing = step{[]store.Status{store.Provisioning, store.Active, store.Suspended, store.Offboarding}, store.Offboarding}
	bury    = step{[]store.Status{store.Offboarding}, store.Deleted}
)

func (m *Manager) turn(ctx context.Context, id tenant.ID, s step) error {
	return m.Tenants.Turn(ctx, id, s.to, s.from...)
}

// Suspend closes a tenant until Resume, and waits for its requests that are on their way. It may be repeated after a failure.
func (m *Manager) Suspend(ctx context.Context, id tenant.ID) error {
	if err := m.turn(ctx, id, suspend); err != nil {
		return err
	}
	return m.present.drain(ctx, id)
}

// Resume opens a suspended tenant.
func (m *Manager) Resume(ctx context.Context, id tenant.ID) error { return m.turn(ctx, id, resume) }

// ChangeTier closes a tenant, waits for its requests that are on their way, moves its rows if need be and lets it be as it was: open or
// suspended. It is repeated after a failure; until then the tenant stays closed. Whoever asks last decides on the tier; who was
// overtaken is told ErrState, as is who changes the tier of a tenant that is being deleted.
func (m *Manager) ChangeTier(ctx context.Context, id tenant.ID, tier string) error {
	if err := m.Tenants.BeginMove(ctx, id, tier); err != nil {
		return err
	}
	if err := m.present.drain(ctx, id); err != nil {
		return err
	}
	if m.Move != nil {
		if err := m.Move(ctx, id, tier); err != nil {
			return fmt.Errorf("move the tenant: %w", err)
		}
	}
	return m.Tenants.EndMove(ctx, id, tier)
}

// Delete closes a tenant, waits for its requests that are on their way, purges every part and marks it deleted. It may be repeated after a failure;
// store.ErrNotFound when the tenant is unknown or deleted already.
func (m *Manager) Delete(ctx context.Context, id tenant.ID) error {
	if err := m.turn(ctx, id, closing); err != nil {
		return err
	}
	if err := m.present.drain(ctx, id); err != nil {
		return err
	}
	for _, p := range m.Purgers {
		if err := p.Purge(ctx, id); err != nil {
			return fmt.Errorf("purge %s: %w", p.Name, err)
		}
	}
	return m.turn(ctx, id, bury)
}
