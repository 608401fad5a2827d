package harness

import (
	"context"
	"strings"
)

// Link asks, as the owner, for a URL that opens an object, opens it as its owner, and returns it: what Open puts in the place of
// "{link}". ok is false when the service gave none, or one that leads elsewhere or opens nothing.
func (w *World) Link(ctx context.Context, o *Object) (link string, ok bool) {
	owner := w.Actor(o.Owner)
	c, ok := w.CallFor(owner, Link, o)
	if !ok {
		return "", false
	}
	e := w.Control(ctx, owner, c)
	found, located := c.Op.Link.find(&e.Response)
	if !e.OK || !located {
		return "", false
	}
	origin := w.door.base.Scheme + "://" + w.door.base.Host
	link, ok = strings.CutPrefix(strings.TrimPrefix(found, origin), "/")
	if !ok {
		return "", false
	}
	c, ok = w.Opening(link, o)
	return link, ok && w.Control(ctx, owner, c).OK
}

// Revoke takes a new link to an object back, as its owner, who opened it before. ok is false where links cannot be revoked.
func (w *World) Revoke(ctx context.Context, o *Object) (link string, ok bool) {
	owner := w.Actor(o.Owner)
	revoke, ok := w.CallFor(owner, Revoke, o)
	if link, opens := w.Link(ctx, o); ok && opens {
		made := w.history.Exchanges[len(w.history.Exchanges)-2] // the last one opened it
		asked, _ := o.Resource.Operation(Link)
		if revoke.Values[grantVariable], ok = asked.Grant.find(&made.Response); ok {
			return link, w.Control(ctx, owner, revoke).OK
		}
	}
	return "", false
}

// Opening prepares to open a link to an object, or what became of one.
func (w *World) Opening(link string, o *Object) (Call, bool) {
	c, ok := w.Call(Open, o)
	if ok {
		c.Values[linkVariable] = link
	}
	return c, ok
}
