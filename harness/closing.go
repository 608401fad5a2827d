package harness

import (
	"context"
	"fmt"
)

// Closer is implemented by targets that can close a tenant and keep what it has. Scenarios that close one are skipped elsewhere.
type Closer interface {
	// Shut closes the tenant and returns once the service says that it is done.
	Shut(ctx context.Context, t Tenant, how Closing) error
}

// Closing is a way to close a tenant.
type Closing string

// The ways to close a tenant.
const (
	Suspended  Closing = "suspended"  // until it is opened again
	Offboarded Closing = "offboarded" // until it is deleted
)

// Shut closes the victim and returns who its owner was. To the judges a former owner is somebody else: while the tenant is
// closed, what belongs to it must reach nobody.
func (w *World) Shut(ctx context.Context, how Closing) (former Actor, err error) {
	closer, ok := w.door.target.(Closer)
	if !ok {
		return Actor{}, Skip("the target cannot close a tenant")
	}
	former = w.Actor(w.victim)
	former.Tenant = w.victim + "-former"
	if err := closer.Shut(ctx, w.cast.member(w.victim).tenant, how); err != nil {
		return Actor{}, fmt.Errorf("the victim could not be %s: %w", how, err)
	}
	return former, nil
}

// Holdings are all that a tenant holds from before the cell, of every resource that can be created.
func (w *World) Holdings(label string) (all []*Object) {
	for i := range w.surface.Resources {
		if o := w.lane.holdings[label][w.surface.Resources[i].Name]; o != nil {
			all = append(all, o)
		}
	}
	return all
}
