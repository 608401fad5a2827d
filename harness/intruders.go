package harness

import (
	"context"
	"fmt"
)

// The phases in which the victim looks for what the attacker may have put among its own.
const (
	intrudersBefore = "lists before"
	intrudersAfter  = "lists after"
)

// lookForIntruders lists as the victim, and has it ask for what the attacker made in this cell under its ids and names: a list may
// show one page of many. It asks before the attack too: what it is shown then, it is shown without any attack.
func (w *World) lookForIntruders(ctx context.Context, phase string) {
	victim := w.Actor(w.victim)
	if op, ok := w.resource.Operation(List); ok {
		values := Values{}
		if o := w.lane.holdings[w.victim][w.resource.Name]; o != nil {
			values = o.Values
		}
		w.do(ctx, victim, Check, NewCall(w.resource, op, values), "", phase)
	}
	for _, o := range w.objects {
		op, reads := o.Resource.Operation(Read)
		if reads && o.Owner == w.attacker.Tenant && (o.planted || o == w.mine) {
			w.do(ctx, victim, Check, NewCall(o.Resource, op, o.Values), o.Label, phase)
		}
	}
}

// newest is the label of the object of the cell's resource that the victim created last, or "".
func newest(h *History) (label string) {
	for _, e := range h.Exchanges {
		if e.Purpose == Setup && e.Verb == Create && e.Tenant == h.Cell.Victim && e.Resource == h.Cell.Resource && e.OK {
			label = e.Object
		}
	}
	return label
}

// showsObject tells whether an answer holds a token of an object. Without one to look for, any answer will do.
func showsObject(s *scanner, e *Exchange, label string) bool {
	if label == "" {
		return true
	}
	got := hits{}
	s.scan(e.Response.Body, got)
	for i := range got {
		if s.tokens[i].Object == label {
			return true
		}
	}
	return false
}

// unseen returns why it cannot be told whether something that the attack wrote stands among the victim's own, or "".
func unseen(h *History, s *scanner) string {
	wrote := false
	why := "its objects can neither be listed nor read"
	for _, e := range h.Exchanges {
		wrote = wrote || e.Purpose == Attack && e.OK && e.Verb.writes()
		if e.Phase != intrudersAfter {
			continue
		}
		switch {
		case unjudgeable(e):
			why = e.outcome()
		case e.Verb != List, e.OK && showsObject(s, e, newest(h)):
			return ""
		case e.OK:
			why = "its list does not show what it created last"
		default:
			why = e.outcome()
		}
	}
	if !wrote || h.Ends {
		return ""
	}
	return fmt.Sprintf("it cannot be told whether what the attack wrote turned up at the victim: %s", why)
}
