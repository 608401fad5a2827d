package scenarios

import (
	"context"
	"strings"

	"github.com/partywall/partywall/harness"
)

// probe sends what shows whether a bend moves the attacker into the victim's tenant: reads of the victim's object, lists,
// and writes of own values. The same reads go out unbent first, so that the bend alone is judged.
func probe(ctx context.Context, w *harness.World, bends []naming) {
	var plain []*harness.Exchange
	for _, c := range looks(w) {
		plain = append(plain, w.Plain(ctx, c))
	}
	for _, n := range bends {
		if !try(ctx, w, n, plain) {
			continue
		}
		for _, single := range n.singles {
			try(ctx, w, single, plain)
		}
	}
}

// try sends all that probe sends for one bend, and tells whether the service refused what it answers without the bend.
func try(ctx context.Context, w *harness.World, n naming, plain []*harness.Exchange) (strict bool) {
	for i, c := range looks(w) {
		n.bend(&c)
		strict = refuses(w.Attack(ctx, c), plain[i]) || strict
	}
	if w.Mine() == nil {
		return strict
	}
	for _, verb := range []harness.Verb{harness.Create, harness.Update, harness.Patch} {
		if c, ok := w.Overwrite(verb, w.Mine()); ok {
			n.bend(&c)
			w.Attack(ctx, c)
		}
	}
	return strict
}

// refuses tells whether a service turned a request down for its form: another one that differs in nothing else was answered
// in another way. Behind such an answer nothing was looked at, so the parts of the bend are then tried one at a time.
func refuses(bent, plain *harness.Exchange) bool {
	status := bent.Response.Status
	return status >= 400 && status < 500 && status != 429 && status != plain.Response.Status
}

// look sends every request that could show something of the victim's and changes nothing, bent.
func look(ctx context.Context, w *harness.World, bend func(*harness.Call)) {
	for _, c := range looks(w) {
		bend(&c)
		w.Attack(ctx, c)
	}
}

func looks(w *harness.World) (out []harness.Call) {
	if w.Theirs() != nil {
		if c, ok := w.Call(harness.Read, w.Theirs()); ok {
			out = append(out, c)
		}
	}
	within := w.Mine() // lists may lie under a parent
	if within == nil {
		within = w.Theirs()
	}
	for _, verb := range []harness.Verb{harness.List, harness.Search} {
		if c, ok := w.Call(verb, within); ok {
			out = append(out, c)
		}
	}
	return out
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
