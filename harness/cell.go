package harness

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
)

// play takes the world through the steps of a cell. What it returns is why the cell stopped early, if it did; the
// record is in the history either way.
func (w *World) play(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the attack panicked: %v at %s", p, panicLine())
		}
	}()
	if err := w.prepare(ctx); err != nil {
		return err
	}
	if err := w.reach(ctx, w.victim, w.theirs); err != nil {
		return err
	}
	if w.attacker.Tenant != "" {
		if err := w.reach(ctx, w.attacker.Tenant, w.mine); err != nil {
			return err
		}
	}
	w.lookForIntruders(ctx, intrudersBefore)
	bystanders := w.victimObjects()
	w.look(ctx, bystanders, "before")
	if err := w.scenario.Attack(ctx, w); err != nil {
		return err
	}
	if w.scenario.Ends {
		return nil
	}
	w.lookAgain(ctx, append(bystanders, w.watched...))
	w.lookForIntruders(ctx, intrudersAfter)
	if w.attacker.Tenant == "" {
		return nil
	}
	// Its own object may be rightly gone, deleted by the attack: what the attacker held before the cell is asked for.
	if err := w.reach(ctx, w.attacker.Tenant, w.lane.holdings[w.attacker.Tenant][w.resource.Name]); err != nil {
		return fmt.Errorf("after the attack: %w", err)
	}
	return nil
}

// panicLine names the first line of our caller's code below the panic.
func panicLine() string {
	lines := strings.Split(string(debug.Stack()), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") && i+3 < len(lines) {
			file := strings.TrimSpace(lines[i+3])
			return file[strings.LastIndex(file, "/")+1:]
		}
	}
	return "an unknown place"
}

// prepare creates the objects of the cell. Where the resource itself cannot be created, such as an audit trail, an
// object of another resource is, so that there is something to tell of.
func (w *World) prepare(ctx context.Context) (err error) {
	r := w.resource
	if _, creates := r.Operation(Create); !creates {
		for i := range w.surface.Resources {
			other := &w.surface.Resources[i]
			if _, creates := other.Operation(Create); creates {
				if _, err = w.Create(ctx, w.victim, other); err != nil || w.attacker.Tenant == "" {
					return err
				}
				_, err = w.Create(ctx, w.attacker.Tenant, other)
				return err
			}
		}
		return nil
	}
	if w.theirs, err = w.Create(ctx, w.victim, r); err != nil || w.attacker.Tenant == "" {
		return err
	}
	w.mine, err = w.Create(ctx, w.attacker.Tenant, r)
	return err
}

// reachPhase marks controls that must show the owner's token in the answer.
const reachPhase = "reach"

// reach is the premise of every cell: owners see their own objects through the very operations that will be attacked.
// Without an object, or where objects cannot be read, their list has to do.
func (w *World) reach(ctx context.Context, owner string, o *Object) error {
	verb := Read
	if _, reads := w.resource.Operation(Read); !reads || o == nil {
		verb = List
	}
	within := o
	if within == nil {
		within = w.lane.holdings[owner][w.resource.Name] // a list may lie under a parent
	}
	c, ok := w.Call(verb, within)
	if !ok {
		return nil // nothing can be read: the scenario's own controls decide
	}
	t := w.cast.member(owner).tenant
	c.Values["tenant.id"], c.Values["tenant.name"] = t.ID, t.Name
	label := ""
	if o != nil {
		label = o.Label
	}
	e := w.do(ctx, w.Actor(owner), Control, c, label, reachPhase)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if !e.OK {
		return fmt.Errorf("control failed: %s could not %s its own %s: %s", e.Actor, verb, w.resource.Name, e.outcome())
	}
	return nil
}

// victimObjects are all objects of the victim that an attack could have hurt: its holdings and those of the cell.
func (w *World) victimObjects() []*Object {
	var out []*Object
	held := w.lane.holdings[w.victim]
	for _, name := range slices.Sorted(maps.Keys(held)) {
		out = append(out, held[name])
	}
	for _, o := range w.objects {
		if o.Owner == w.victim && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

// look reads objects as their owner and records what is seen.
func (w *World) look(ctx context.Context, objects []*Object, phase string) {
	for _, o := range objects {
		w.lookAt(ctx, o, phase)
	}
}

func (w *World) lookAt(ctx context.Context, o *Object, phase string) *Exchange {
	op, ok := o.Resource.Operation(Read)
	if !ok {
		return nil
	}
	c := NewCall(o.Resource, op, o.Values)
	return w.do(ctx, w.Actor(o.Owner), Check, c, o.Label, phase)
}

// lookAgain reads the objects after the attack, and once more where they differ, to tell a change from noise.
func (w *World) lookAgain(ctx context.Context, objects []*Object) {
	before := map[string]*Exchange{}
	for _, e := range w.history.Exchanges {
		if e.Purpose == Check && e.Phase == "before" {
			before[e.Object] = e
		}
	}
	for _, o := range objects {
		e := w.lookAt(ctx, o, "after")
		if e == nil || before[o.Label] == nil || sameState(&before[o.Label].Response, &e.Response) {
			continue
		}
		w.lookAt(ctx, o, "again")
		w.lane.lost(o)
	}
}

// The phases in which the victim looks for what the attacker may have put among its own.
const (
	intrudersBefore = "lists before"
	intrudersAfter  = "lists after"
)

// lookForIntruders lists as the victim, and, where the resource cannot be listed, reads what the attack made under its
// ids. What the attacker owned before is left alone: reading it would be an attack of the victim's.
func (w *World) lookForIntruders(ctx context.Context, phase string) {
	victim := w.Actor(w.victim)
	if op, ok := w.resource.Operation(List); ok {
		values := Values{}
		if o := w.lane.holdings[w.victim][w.resource.Name]; o != nil {
			values = o.Values
		}
		w.do(ctx, victim, Check, NewCall(w.resource, op, values), "", phase)
		return
	}
	for _, o := range w.objects {
		op, reads := o.Resource.Operation(Read)
		if reads && o.planted && o.Resource.Chosen == "" {
			w.do(ctx, victim, Check, NewCall(o.Resource, op, o.Values), o.Label, phase)
		}
	}
}

// clean removes what the cell created, newest first. Where an attack moved an object, its new owner removes it.
func (w *World) clean(ctx context.Context) {
	for _, o := range slices.Backward(w.objects) {
		if w.lane.holdings[o.Owner][o.Resource.Name] == o {
			continue
		}
		op, ok := o.Resource.Operation(Delete)
		if !ok {
			if op, ok = o.Resource.Operation(Batch); !ok {
				continue
			}
		}
		c := NewCall(o.Resource, op, o.Values)
		for _, owner := range []string{o.Owner, w.victim} {
			if e := w.do(ctx, w.Actor(owner), Cleanup, c, o.Label, ""); e.OK {
				break
			}
		}
	}
}
