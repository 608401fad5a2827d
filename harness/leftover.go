package harness

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
)

// Leftover is something that a run brought into the service and was not seen to remove.
type Leftover struct {
	Tenant     string `json:"tenant"` // its id, as the service knows it
	TenantName string `json:"tenant_name,omitempty"`
	Resource   string `json:"resource,omitempty"` // empty: the tenant itself is left
	ID         string `json:"id,omitempty"`       // of the object
	Reason     string `json:"reason"`
}

// noWay is the reason where the target offers nothing that would remove it.
const noWay = "the target describes no way to delete it"

// leave notes what an object or, when o is nil, a whole tenant was left for.
func (d *door) leave(t Tenant, o *Object, reason string) {
	l := Leftover{Tenant: d.secrets.string(t.ID), TenantName: d.secrets.string(t.Name), Reason: d.secrets.string(reason)}
	if o != nil {
		l.Resource, l.ID = o.Resource.Name, d.secrets.string(o.ID)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = append(d.left, l)
}

// leftovers in an order that does not depend on which lane ended first.
func (d *door) leftovers() []Leftover {
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.SortStableFunc(d.left, func(a, b Leftover) int {
		return strings.Compare(a.TenantName+"\x00"+a.Tenant+"\x00"+a.Resource, b.TenantName+"\x00"+b.Tenant+"\x00"+b.Resource)
	})
	return d.left
}

// undone is an object that could not be removed. It is left behind unless its tenant goes.
type undone struct {
	object *Object
	reason string
}

// end deletes the tenants that the target brought to life, and returns those that live on: borrowed ones, and those that
// cannot be deleted.
func (c *cast) end(ctx context.Context, t Target, d *door) (alive []member) {
	lifecycle, can := t.(Lifecycle)
	for _, m := range c.members {
		switch {
		case m.ended: // by an attack, as it was asked to
		case m.tenant.Borrowed:
			alive = append(alive, m)
		case !can:
			d.leave(m.tenant, nil, noWay)
			alive = append(alive, m)
		default:
			if err := lifecycle.Delete(ctx, m.tenant); err != nil {
				d.leave(m.tenant, nil, err.Error())
				alive = append(alive, m)
			}
		}
	}
	return alive
}

// end gives back what the lane was given: its tenants, and what was put into those that live on.
func (l *lane) end(ctx context.Context, t Target, w *World) {
	alive := l.cast.end(ctx, t, w.door)
	for _, m := range alive {
		for _, o := range l.orphans {
			if o.Owner == m.label {
				w.objects = append(w.objects, o)
			}
		}
		for i := range w.surface.Resources { // parents first: what lies under them is removed before them
			if o := l.holdings[m.label][w.surface.Resources[i].Name]; o != nil {
				w.objects = append(w.objects, o)
			}
		}
	}
	l.holdings = nil
	w.clean(ctx)
	for _, u := range l.undone {
		if i := slices.IndexFunc(alive, func(m member) bool { return m.label == u.object.Owner }); i >= 0 {
			w.door.leave(alive[i].tenant, u.object, u.reason)
		}
	}
}

// clean removes what the cell created, newest first. Where an attack moved an object, its new owner removes it.
func (w *World) clean(ctx context.Context) {
	for _, o := range slices.Backward(w.objects) {
		if o.removed || w.lane.holdings[o.Owner][o.Resource.Name] == o {
			continue
		}
		o.removed = true
		if reason := w.remove(ctx, o); reason != "" {
			w.lane.undone = append(w.lane.undone, undone{o, reason})
		}
	}
}

// remove returns why an object could not be removed, or "". What nobody finds any more was removed by an attack.
func (w *World) remove(ctx context.Context, o *Object) string {
	op, ok := o.Resource.Operation(Delete)
	if !ok {
		if op, ok = o.Resource.Operation(Batch); !ok {
			return noWay
		}
	}
	c, reason, gone := NewCall(o.Resource, op, o.Values), "", false
	for _, owner := range []string{o.Owner, w.victim} {
		if owner == "" {
			continue // the lane ends, and there is no victim any more
		}
		e := w.do(ctx, w.Actor(owner), Cleanup, c, o.Label, "")
		if e.OK {
			return ""
		}
		gone = gone || e.Response.Status == http.StatusNotFound || e.Response.Status == http.StatusGone
		reason = cmp.Or(reason, e.outcome())
	}
	if gone {
		return ""
	}
	return reason
}
