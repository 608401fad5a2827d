package scenarios

import (
	"context"
	"errors"

	"github.com/partywall/partywall/harness"
)

var errNothingHeld = errors.New("the victim has nothing that could be read: no access can be looked at")

// closed shuts the victim and has its former owner, and who holds a link, ask for all that it holds. What they ask for they could
// read before.
func closed(ctx context.Context, w *harness.World, how harness.Closing) error {
	owner := w.Actor(w.Victim())
	var reads []harness.Call
	for _, o := range w.Holdings(w.Victim()) {
		op, ok := o.Resource.Operation(harness.Read)
		if !ok || o.Resource.Public != "" {
			continue
		}
		c := harness.NewCall(o.Resource, op, o.Values)
		if w.Control(ctx, owner, c).OK {
			reads = append(reads, c)
		}
	}
	if len(reads) == 0 {
		return errNothingHeld
	}
	link, linked := "", false
	if w.Theirs() != nil {
		link, linked = w.Link(ctx, w.Theirs())
	}
	former, err := w.Shut(ctx, how)
	if err != nil {
		return err
	}
	if c, ok := w.Opening(link, w.Theirs()); ok && linked {
		c.Label = "anybody follows a link that the victim gave out"
		w.AttackAs(ctx, harness.Actor{}, c)
	}
	for _, c := range reads {
		c.Label = "the former owner reads " + c.Resource.Name
		w.AttackAs(ctx, former, c)
		if op, ok := c.Resource.Operation(harness.List); ok {
			list := harness.NewCall(c.Resource, op, c.Values)
			list.Label = "the former owner lists " + c.Resource.Name
			w.AttackAs(ctx, former, list)
		}
	}
	if mine := w.Mine(); mine != nil { // the service is still there
		if c, ok := w.Call(harness.Read, mine); ok {
			w.Control(ctx, w.Attacker(), c)
		}
	}
	return nil
}
