package harness

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// play takes the world through the steps of a cell. What it returns is why the cell stopped early, if it did; the
// record is in the history either way.
func (w *World) play(ctx context.Context) error {
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
	for _, o := range bystanders {
		if e := w.lookAt(ctx, o, "before"); e != nil && !e.OK && !unjudgeable(e) {
			w.lane.lost(o) // an earlier attack destroyed it
		}
	}
	crash := w.attack(ctx)
	if w.scenario.Ends {
		if crash == nil {
			w.lookAgain(ctx, w.watched)
			w.prove(ctx)
		}
		return crash
	}
	if crash != nil {
		if _, skip := skipped(crash); skip {
			return crash
		}
		ctx = cleaning(ctx) // what it did before it crashed may be a breach
	}
	w.lookAgain(ctx, append(bystanders, w.watched...))
	w.lookForIntruders(ctx, intrudersAfter)
	if crash != nil {
		return crash
	}
	w.prove(ctx)
	if w.attacker.Tenant == "" {
		return nil
	}
	// Its own object may be rightly gone, deleted by the attack: what the attacker held before the cell is asked for.
	if err := w.reach(ctx, w.attacker.Tenant, w.lane.holdings[w.attacker.Tenant][w.resource.Name]); err != nil {
		return fmt.Errorf("after the attack: %w", err)
	}
	return nil
}

// attack runs the scenario; a panic is an error that says where.
func (w *World) attack(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the attack panicked: %v at %s", p, panicLine())
		}
	}()
	return w.scenario.Attack(ctx, w)
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
			if _, creates := other.Operation(Create); creates && w.lane.holdings[w.victim][other.Name] != nil {
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

// lookAt reads an object as its owner. Where objects cannot be read, the list that they stand in has to do.
func (w *World) lookAt(ctx context.Context, o *Object, phase string) *Exchange {
	op, ok := o.Resource.Operation(Read)
	if !ok {
		op, ok = o.Resource.Operation(List)
	}
	if !ok {
		return nil
	}
	c := NewCall(o.Resource, op, o.Values)
	return w.do(ctx, w.Actor(o.Owner), Check, c, o.Label, phase)
}

// lookAgain reads the objects after the attack, and once or twice more where they differ, to tell a change from noise.
// What is still unclear then is read a last time after one wait for all: a wait before each but the first would leave
// the others to a clock that has not moved.
func (w *World) lookAgain(ctx context.Context, objects []*Object) {
	before := map[string]*Exchange{}
	for _, e := range w.history.Exchanges {
		if e.Purpose == Check && e.Phase == "before" {
			before[e.Object] = e
		}
	}
	scan := w.scanner()
	var unclear []*Object
	for _, o := range objects {
		e := w.lookAt(ctx, o, "after")
		if e == nil || before[o.Label] == nil || sameState(scan, before[o.Label], e) {
			continue
		}
		w.lane.lost(o)
		again := w.lookAt(ctx, o, "again")
		if e.OK && !showsForeign(scan, e) && w.history.difference(before[o.Label], e, again, nil) != "" {
			unclear = append(unclear, o)
		}
	}
	if len(unclear) == 0 {
		return
	}
	tick(ctx)
	for _, o := range unclear {
		if again := w.lookAt(ctx, o, "again"); again != nil {
			w.compareUntouched(ctx, o, before[o.Label], again)
		}
	}
}

// untouchedPhase marks reads of an object that no attack has come near.
const untouchedPhase = "untouched"

// untouchedFor bounds how long an untouched object is watched, and untouchedTries how many are: what changes soon after it was made may
// have changed before the first look.
const (
	untouchedFor   = 3 * time.Second
	untouchedTries = 3
)

// compareUntouched watches a new object of the same kind for as long as the cell lasts by now, when values of an object changed that
// are nobody's token: what changes there as well, such as "processing" that becomes "ready", changes by itself.
func (w *World) compareUntouched(ctx context.Context, o *Object, before, again *Exchange) {
	scan := w.scanner()
	if _, creates := o.Resource.Operation(Create); !creates || before == nil || lostValue(scan, before, again) != "" || showsForeign(scan, again) {
		return
	}
	lasted := time.Since(w.door.began) - w.history.Exchanges[0].Begin
	for range untouchedTries {
		if w.changesByItself(ctx, o.Resource, min(lasted, untouchedFor)) || ctx.Err() != nil {
			return
		}
	}
}

// changesByItself watches a new object for a while, from as early on as can be.
func (w *World) changesByItself(ctx context.Context, r *Resource, watched time.Duration) bool {
	fresh, err := w.Create(ctx, w.victim, r)
	if err != nil {
		return false
	}
	scan := w.scanner()
	over := time.NewTimer(watched)
	defer over.Stop()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	first := w.lookAt(ctx, fresh, untouchedPhase)
	for first != nil && first.OK {
		if e := w.lookAt(ctx, fresh, untouchedPhase); !sameState(scan, first, e) {
			return true
		}
		select {
		case <-over.C:
			return false
		case <-ctx.Done():
			return false
		case <-poll.C:
		}
	}
	return false
}

// showsForeign tells whether an owner reads what somebody else wrote.
func showsForeign(s *scanner, e *Exchange) bool {
	got := hits{}
	s.scan(e.Response.Body, got)
	for i := range got {
		if s.tokens[i].Owner != e.Tenant {
			return true
		}
	}
	return false
}

// tick lets clocks of whole seconds move on: a time of last access that changed with our own reading must be seen to
// change once more, else it would be taken for the attack's doing.
func tick(ctx context.Context) {
	timer := time.NewTimer(1100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
