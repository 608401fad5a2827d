package scenarios

import (
	"context"
	"strings"

	"github.com/partywall/partywall/harness"
)

// probe sends every kind of request that could cross the wall, each bent the same way: reads, lists, writes into the
// victim's tenant, and at last the destruction of the victim's object.
func probe(ctx context.Context, w *harness.World, bend func(*harness.Call)) {
	look(ctx, w, bend)
	send := func(c harness.Call, ok bool) {
		if ok {
			bend(&c)
			w.Attack(ctx, c)
		}
	}
	if w.Theirs() == nil {
		return
	}
	if w.Attacker().Tenant != "" {
		send(w.Overwrite(harness.Create, w.Mine()))
	}
	for _, verb := range []harness.Verb{harness.Update, harness.Patch} {
		send(w.Overwrite(verb, w.Theirs()))
	}
	send(w.Call(harness.Delete, w.Theirs()))
}

// look is the half of probe that changes nothing.
func look(ctx context.Context, w *harness.World, bend func(*harness.Call)) {
	if w.Theirs() != nil {
		if c, ok := w.Call(harness.Read, w.Theirs()); ok {
			bend(&c)
			w.Attack(ctx, c)
		}
	}
	within := w.Mine() // lists may lie under a parent
	if within == nil {
		within = w.Theirs()
	}
	for _, verb := range []harness.Verb{harness.List, harness.Search} {
		if c, ok := w.Call(verb, within); ok {
			bend(&c)
			w.Attack(ctx, c)
		}
	}
}

// mixes are all ways to fill the ids of an operation with own and foreign ones, at least one of them foreign. Own parent
// and foreign child is the one that services forget.
func mixes(w *harness.World, c harness.Call) []harness.Call {
	foreign := w.Theirs()
	var names []string
	seen := map[string]bool{}
	for _, slot := range c.Resource.Slots(c.Op) {
		if !seen[slot.Variable] {
			seen[slot.Variable] = true
			names = append(names, slot.Variable)
		}
	}
	if w.Mine() == nil || len(names) > 4 {
		return []harness.Call{bound(c, names, foreign.Values, foreign.Values, 0)}
	}
	var out []harness.Call
	for own := range 1<<len(names) - 1 {
		out = append(out, bound(c, names, foreign.Values, w.Mine().Values, own))
	}
	return out
}

// bound fills the slots: the own value where the bit of own is set, the foreign one elsewhere.
func bound(c harness.Call, names []string, foreign, mine harness.Values, own int) harness.Call {
	values := harness.Values{}
	for name, value := range c.Values {
		values[name] = value
	}
	var label []string
	for i, name := range names {
		if own&(1<<i) != 0 {
			values[name] = mine[name]
			label = append(label, "own "+name)
		} else {
			values[name] = foreign[name]
			label = append(label, "foreign "+name)
		}
	}
	c.Values = values
	c.Label = strings.Join(label, ", ")
	return c
}
