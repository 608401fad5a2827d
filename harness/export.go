package harness

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// exportWithin is how long an export may take.
const exportWithin = 10 * time.Second

var errExport = errors.New("the export could not be made")

// Exports has the service export what each tenant has, all of them begun before any is waited for, and returns them in the same order.
// The surface says how: see Surface.Export.
func (w *World) Exports(ctx context.Context, labels ...string) ([]*Object, error) {
	r := w.surface.Export
	create, creates := r.Operation(Create)
	if !creates {
		return nil, errExport
	}
	var made []*Object
	for _, label := range labels {
		e := w.Prepare(ctx, w.Actor(label), NewCall(r, create, Values{}))
		id, ok := r.ID.find(&e.Response)
		if !e.OK || !ok {
			return nil, fmt.Errorf("%w: %s", errExport, e.outcome())
		}
		made = append(made, &Object{Label: w.nextLabel(label, r), Owner: label, Resource: r, ID: id, Values: Values{"id": id}})
	}
	ctx, cancel := context.WithTimeout(ctx, exportWithin)
	defer cancel()
	for _, o := range made {
		if err := w.finished(ctx, o); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// finished asks until an export can be downloaded.
func (w *World) finished(ctx context.Context, o *Object) error {
	read, ok := o.Resource.Operation(Read)
	if !ok {
		return nil // it is made at once
	}
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		if w.Prepare(ctx, w.Actor(o.Owner), NewCall(o.Resource, read, o.Values)).OK {
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("%w: it was not done in time", errExport)
		}
	}
}
