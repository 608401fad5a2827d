package harness

import (
	"context"
	"strings"
)

// Link asks, as the owner, for a URL that opens an object, opens it as its owner, and returns it: what Open puts in the place of
// "{link}". ok is false when the service gave none, or one that leads elsewhere or opens nothing.
func (w *World) Link(ctx context.Context, o *Object) (link string, ok bool) {
	link, _, ok = w.link(ctx, o)
	return link, ok
}

// link is Link with the id by which the link is revoked; it is empty where the answer holds none.
func (w *World) link(ctx context.Context, o *Object) (link, grant string, ok bool) {
	owner := w.Actor(o.Owner)
	c, ok := w.CallFor(owner, Link, o)
	if !ok {
		return "", "", false
	}
	e := w.Control(ctx, owner, c)
	found, located := c.Op.Link.find(&e.Response)
	if !e.OK || !located {
		return "", "", false
	}
	grant, _ = c.Op.Grant.find(&e.Response)
	origin := w.door.base.Scheme + "://" + w.door.base.Host
	link, ok = strings.CutPrefix(strings.TrimPrefix(found, origin), "/")
	if !ok {
		return "", "", false
	}
	c, ok = w.Opening(link, o)
	return link, grant, ok && w.Control(ctx, owner, c).OK
}

// Revoke takes a new link to an object back, as its owner, who opened it before. ok is false where links cannot be revoked.
func (w *World) Revoke(ctx context.Context, o *Object) (link string, ok bool) {
	owner := w.Actor(o.Owner)
	revoke, revokes := w.CallFor(owner, Revoke, o)
	link, grant, opens := w.link(ctx, o)
	if !revokes || !opens || grant == "" {
		return "", false
	}
	revoke.Values[grantVariable] = grant
	return link, w.Control(ctx, owner, revoke).OK
}

// Opening prepares to open a link to an object, or what became of one.
func (w *World) Opening(link string, o *Object) (Call, bool) {
	c, ok := w.Call(Open, o)
	if ok {
		c.Values[linkVariable] = link
	}
	return c, ok
}
