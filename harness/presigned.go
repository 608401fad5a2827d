package harness

import (
	"bytes"
	"context"
	"net/http"
)

// StoredTier is one whose tenants are given URLs of the object store.
func (w *World) StoredTier() (Tier, bool) {
	return w.surface.tier(func(t Tier) bool { return t.Stored })
}

// Presigned asks, as the owner, for the URL by which the object store hands out an object, opens it without a login, and returns it. ok
// is false when there is none, or one that does not show the object.
func (w *World) Presigned(ctx context.Context, o *Object) (address string, ok bool) {
	op, ok := o.Resource.Operation(Link)
	if !ok {
		return "", false
	}
	owner := w.Actor(o.Owner)
	e := w.Control(ctx, owner, NewCall(o.Resource, op, o.Values))
	address, located := op.Link.find(&e.Response)
	if !e.OK || !located {
		return "", false
	}
	got := w.Control(ctx, owner.Bare(), Fetching(o, http.MethodGet, address))
	for _, f := range o.Resource.Fields {
		ok = ok && got.OK && bytes.Contains(got.Response.Body, []byte(o.Values[f.Name]))
	}
	return address, ok
}

// Found is the URL in the answer to a request for one.
func (w *World) Found(c Call, e *Exchange) (address string, ok bool) {
	address, ok = c.Op.Link.find(&e.Response)
	return address, ok && e.OK
}

// Fetching prepares a request to the store itself.
func Fetching(o *Object, method, address string) Call {
	c := NewCall(o.Resource, &Operation{Verb: Open, Method: method, Path: "/"}, o.Values)
	c.Address = address
	return c
}

// Bare is the actor without its credential: a store must not see it.
func (a Actor) Bare() Actor {
	a.Credential = nil
	return a
}
