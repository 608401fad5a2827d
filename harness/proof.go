package harness

import (
	"context"
	"fmt"
	"slices"
)

// provePhase marks the controls that show, after the attack, that each attacked operation works for an owner.
const provePhase = "prove"

// prove sends every operation that the attack bent as an owner, on an object of its own that was made for it: who cannot
// delete an own document has not been kept from deleting another's. It comes after the attack, when it is known which
// operations those were, and when what it does disturbs nothing any more.
func (w *World) prove(ctx context.Context) {
	owner := w.attacker.Tenant
	if owner == "" {
		owner = w.victim
	}
	if owner == w.victim && w.scenario.Ends {
		return
	}
	var own *Object
	for _, verb := range attackedVerbs(w.history) {
		if proven(w.history, w.scanner(), w.resource.Name, verb) {
			continue
		}
		if _, creates := w.resource.Operation(Create); creates && own == nil {
			var err error
			if own, err = w.Create(ctx, owner, w.resource); err != nil {
				return // the judge will miss the proof
			}
		}
		for _, c := range w.ownCalls(verb, owner, own) {
			label := ""
			if own != nil && verb != List && verb != Search {
				label = own.Label
			}
			if e := w.do(ctx, w.Actor(owner), Control, c, label, provePhase); verb == Delete || verb == Batch {
				if e.OK {
					own = nil
				}
			}
			if proven(w.history, w.scanner(), w.resource.Name, verb) {
				break
			}
		}
	}
}

// ownCalls are requests of the verb that must succeed for the owner: one of them is enough.
func (w *World) ownCalls(verb Verb, owner string, own *Object) (calls []Call) {
	c, ok := w.CallFor(w.Actor(owner), verb, own)
	switch {
	case !ok:
		return nil
	case verb == Search && own != nil:
		// Some services find by a piece, some by the whole of a value.
		for _, f := range w.resource.Fields {
			if value := own.Values[f.Name]; f.Type == Text && f.Fixed == "" && f.Refers == "" && len(value) == canaryLength {
				for _, term := range []string{value[:6], value} {
					found := c
					found.Values = c.Values.with("query", term)
					calls = append(calls, found)
				}
			}
		}
		return calls
	case verb.writes():
		for name, value := range w.Values(w.resource, owner) {
			if f, ok := w.resource.Field(name); ok && f.Refers == "" {
				c.Values[name] = value
			}
		}
	case (verb == Batch || verb == BatchRead) && own != nil:
		c.IDs = []string{own.ID}
	}
	return []Call{c}
}

// attackedVerbs lists what the attack bent, in its order.
func attackedVerbs(h *History) (verbs []Verb) {
	for _, e := range h.Exchanges {
		if e.Purpose == Attack && e.Resource == h.Cell.Resource && !slices.Contains(verbs, e.Verb) {
			verbs = append(verbs, e.Verb)
		}
	}
	return verbs
}

// proven tells whether an owner was seen to succeed with an operation. What reads must show something of its own.
func proven(h *History, s *scanner, resource string, verb Verb) bool {
	return slices.ContainsFunc(h.Exchanges, func(e *Exchange) bool {
		switch {
		case !e.OK || e.Resource != resource || e.Verb != verb || e.Purpose != Control && e.Purpose != Setup:
			return false
		case verb.shows():
			return showsOwn(s, h, e)
		default:
			return true
		}
	})
}

// unproven returns why it was not seen that the attacked operations work at all, or "".
func unproven(h *History, s *scanner) string {
	for _, verb := range attackedVerbs(h) {
		if proven(h, s, h.Cell.Resource, verb) {
			continue
		}
		outcome := "no request for it could be made"
		for _, e := range h.Exchanges {
			if e.Purpose == Control && e.Phase == provePhase && e.Verb == verb {
				if outcome = "the answer shows nothing of its own"; !e.OK {
					outcome = e.outcome()
				}
			}
		}
		return fmt.Sprintf("control failed: no owner was seen to %s its own %s: %s", verb, h.Cell.Resource, outcome)
	}
	return ""
}
