package harness

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// World is what a scenario sees of one cell: the cast, fresh objects, and the only door to the target.
type World struct {
	scenario *Scenario
	surface  *Surface
	resource *Resource
	door     *door
	lane     *lane
	cast     *cast
	attacker Actor
	victim   string
	mine     *Object
	theirs   *Object
	seed     int64
	rand     *rand.Rand

	mu      sync.Mutex // guards what concurrent requests append to
	history *History
	ahead   time.Duration // of the target's clock, which the scenario moved
	dropped atomic.Int64  // hostile requests in a row that got no answer
	objects []*Object     // of this cell, in the order of their creation
	watched []*Object
}

// Attacker is who attacks. It may be anonymous.
func (w *World) Attacker() Actor { return w.attacker }

// Victim is the label of the tenant under attack.
func (w *World) Victim() string { return w.victim }

// VictimTenant tells what everybody may know of the victim: the id and name of its tenant.
func (w *World) VictimTenant() (id, name string) {
	t := w.cast.member(w.victim).tenant
	return t.ID, t.Name
}

// TenantOf tells the id and name of a tenant that was enrolled.
func (w *World) TenantOf(label string) (id, name string) {
	t := w.cast.member(label).tenant
	return t.ID, t.Name
}

// AttackerTenant tells the id and name of the attacker's own tenant; both are empty for anonymous.
func (w *World) AttackerTenant() (id, name string) {
	if w.attacker.Tenant == "" {
		return "", ""
	}
	t := w.cast.member(w.attacker.Tenant).tenant
	return t.ID, t.Name
}

// Actor is the first principal of a tenant of the cast.
func (w *World) Actor(label string) Actor { return w.cast.member(label).actor() }

// People are all principals of a tenant of the cast, whatever their roles.
func (w *World) People(label string) (all []Actor) {
	for _, p := range w.cast.member(label).tenant.Principals {
		all = append(all, Actor{Tenant: label, Principal: p.Name, Credential: p.Credential})
	}
	return all
}

// Programs are the credentials of a tenant's programs: see [Tenant]. Each is nil where there is none.
func (w *World) Programs(label string) (key, signature Credential) {
	t := w.cast.member(label).tenant
	return t.Key, t.Signature
}

// Resource is what the cell attacks.
func (w *World) Resource() *Resource { return w.resource }

// Surface of the target.
func (w *World) Surface() *Surface { return w.surface }

// Theirs is the victim's object that the cell was given; nil where the resource cannot be created.
func (w *World) Theirs() *Object { return w.theirs }

// Mine is the attacker's own object; nil for anonymous and where the resource cannot be created.
func (w *World) Mine() *Object { return w.mine }

// Rand draws from the seed of the cell.
func (w *World) Rand() *rand.Rand { return w.rand }

// Call prepares an operation of the cell's resource on an object. ok is false if there is no such operation. An
// operation that names no object takes a nil one: it acts for the tenant of the attacker.
func (w *World) Call(v Verb, o *Object) (c Call, ok bool) { return w.CallFor(w.attacker, v, o) }

// CallFor is Call for somebody else than the attacker.
func (w *World) CallFor(as Actor, v Verb, o *Object) (c Call, ok bool) {
	op, ok := w.resource.Operation(v)
	if !ok {
		return Call{}, false
	}
	c = NewCall(w.resource, op, Values{})
	if o != nil {
		c.Values = maps.Clone(o.Values)
	} else if as.Tenant != "" {
		t := w.cast.member(as.Tenant).tenant
		c.Values["tenant.id"], c.Values["tenant.name"] = t.ID, t.Name
	}
	return c, true
}

// Overwrite prepares an operation on an object with fresh values for all its fields, owned by the attacker.
func (w *World) Overwrite(v Verb, o *Object) (Call, bool) {
	c, ok := w.Call(v, o)
	if !ok {
		return c, false
	}
	owner := w.attacker.Tenant
	if owner == "" {
		owner = w.victim // anonymous owns nothing: what it writes is judged by the victim's state alone
	}
	fresh := w.Values(w.resource, owner)
	for _, f := range w.resource.Fields {
		if f.Refers == "" {
			c.Values[f.Name] = fresh[f.Name]
		}
	}
	return c, true
}

// Attack sends a hostile request as the attacker.
func (w *World) Attack(ctx context.Context, c Call) *Exchange {
	return w.do(ctx, w.attacker, Attack, c, "", "")
}

// AttackAs sends a hostile request as somebody else: a former owner, a successor.
func (w *World) AttackAs(ctx context.Context, as Actor, c Call) *Exchange {
	return w.do(ctx, as, Attack, c, "", "")
}

// Control sends a request that must succeed for the cell to be conclusive: the same request by its rightful owner.
func (w *World) Control(ctx context.Context, as Actor, c Call) *Exchange {
	return w.do(ctx, as, Control, c, "", "")
}

// Plain sends a request as the attacker without the bend that the scenario is about. What it brings is no proof of the
// bend: another scenario speaks for it.
func (w *World) Plain(ctx context.Context, c Call) *Exchange {
	return w.do(ctx, w.attacker, Plain, c, "", "")
}

// Prepare sends a request that brings the world into a state; nothing is asked of its outcome.
func (w *World) Prepare(ctx context.Context, as Actor, c Call) *Exchange {
	e := w.do(ctx, as, Setup, c, "", "")
	if e.OK && as.Tenant != "" {
		w.adoptFrom(as.Tenant, c, e)
	}
	return e
}

// Watch reads an object that the attack made, as its owner: from now on it is part of the state that the attack must not change, also
// where it ends the victim.
func (w *World) Watch(ctx context.Context, o *Object) {
	w.lookAt(ctx, o, "before")
	w.watched = append(w.watched, o)
}

// End ends the victim for good and returns who its owner was. To the judges a former owner is somebody else: what
// belonged to the tenant must reach nobody any more.
func (w *World) End(ctx context.Context) (former Actor, err error) { return w.EndOf(ctx, w.victim) }

// EndOf is End for a tenant that has joined.
func (w *World) EndOf(ctx context.Context, label string) (former Actor, err error) {
	lifecycle, ok := w.door.target.(Lifecycle)
	if !ok {
		return Actor{}, Skip("the target cannot end a tenant")
	}
	former = w.Actor(label)
	former.Tenant = label + "-former"
	member := w.cast.member(label)
	if err := lifecycle.Delete(ctx, member.tenant); err != nil {
		return Actor{}, fmt.Errorf("the target could not end %s: %w", label, err)
	}
	member.ended = true
	return former, nil
}

// Succeed provisions a new tenant under the ended victim's name, with holdings of its own, and returns its first principal.
func (w *World) Succeed(ctx context.Context) (Actor, error) {
	return w.Join(ctx, w.victim+"-successor", w.cast.member(w.victim).tenant.Name)
}

// Namesake provisions a tenant whose name begins like the victim's, with holdings of its own, and returns its first principal. Only
// scenarios that end the victim have tenants to add to.
func (w *World) Namesake(ctx context.Context) (Actor, error) {
	return w.Join(ctx, w.victim+"-namesake", w.cast.member(w.victim).tenant.Name+"-too")
}

// Join provisions a tenant for a name, with holdings of its own, and returns its first principal. It returns ErrName where the service
// refuses the name. Only scenarios that end a tenant have tenants to add to.
func (w *World) Join(ctx context.Context, label, name string) (Actor, error) {
	tenant, err := w.door.target.Provision(ctx, name)
	if err != nil {
		return Actor{}, fmt.Errorf("provision %s, named %s: %w", label, name, err)
	}
	m := member{label: label, tenant: tenant}
	w.cast.members = append(w.cast.members, m)
	if err := w.lane.furnish(ctx, w, m.label); err != nil {
		return Actor{}, fmt.Errorf("%s: %w", label, err)
	}
	return m.actor(), nil
}

// Holding is the object of the cell's resource that a tenant holds from before the cell; nil where it cannot be created.
func (w *World) Holding(label string) *Object { return w.lane.holdings[label][w.resource.Name] }

// Give hands a value to a tenant: from now on it proves nothing when that tenant receives it. What a tenant sends
// itself needs no such word.
func (w *World) Give(tenant, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history.Given = append(w.history.Given, Gift{Tenant: tenant, Value: value})
}

func (w *World) token(t Token) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history.Tokens = append(w.history.Tokens, t)
}

// do is the one door: it renders, sends and records. It never fails; a transport failure is an exchange. A refusal by a
// limiter that says when to come back is recorded as a part of the setup, and the request is sent again.
func (w *World) do(ctx context.Context, as Actor, purpose Purpose, c Call, object, phase string, symbols ...string) *Exchange {
	for tries := 0; ; tries++ {
		e := w.once(ctx, as, purpose, c, object, phase, symbols)
		wait, again := e.Response.retryAfter()
		if tries < patience && again && (!w.history.Limits || purpose != Attack) && e.Response.limited() && w.door.pace.hold(wait) {
			e.Purpose, e.Label = Setup, "limited, sent again"
			w.record(e)
			continue
		}
		w.door.heed(e, tries)
		return w.recordOutcome(e, as, c)
	}
}

// patience is how often a request that a limiter refused is sent again.
const patience = 2

func (w *World) once(ctx context.Context, as Actor, purpose Purpose, c Call, object, phase string, symbols []string) *Exchange {
	e := &Exchange{
		Purpose: purpose, Actor: as.String(), Tenant: as.Tenant, Resource: c.Resource.Name, Verb: c.Op.Verb,
		Object: object, Phase: phase, Label: c.Label, Symbols: symbols, Ahead: w.ahead,
	}
	err := ErrDropped
	if purpose != Attack || w.dropped.Load() < deadAfter {
		err = w.send(ctx, as, c, e)
	}
	if err != nil {
		e.Err = err.Error()
	}
	if purpose == Attack && e.Err != "" {
		w.dropped.Add(1)
	} else if purpose == Attack {
		w.dropped.Store(0)
	}
	e.OK = e.Err == "" && c.Op.Success.met(&e.Response)
	return e
}

func (w *World) recordOutcome(e *Exchange, as Actor, c Call) *Exchange {
	w.record(e)
	if e.Purpose == Attack && e.OK && as.Tenant != "" {
		w.adoptFrom(as.Tenant, c, e)
	}
	return e
}

func (w *World) record(e *Exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.ID = fmt.Sprintf("%s/%d", w.history.Cell.ID, len(w.history.Exchanges)+1)
	w.history.Exchanges = append(w.history.Exchanges, e)
}

// adoptFrom remembers what an attack created, so that the victim is asked for it and it is cleaned up. Where clients
// choose ids an update may create as well.
func (w *World) adoptFrom(owner string, c Call, e *Exchange) {
	creates := c.Op.Verb == Create || c.Op.Verb == Copy || c.Op.Verb == Update && c.Resource.Chosen != ""
	if !creates || c.RawID != "" {
		return
	}
	id := w.id(c.Resource, c.Values, e)
	w.mu.Lock()
	known := slices.ContainsFunc(w.objects, func(o *Object) bool {
		return o.Owner == owner && o.Resource == c.Resource && o.ID == id
	})
	w.mu.Unlock()
	if id != "" && !known {
		w.adopt(&Object{planted: true, Label: w.nextLabel(owner, c.Resource), Owner: owner, Resource: c.Resource, ID: id, Values: c.Values})
	}
}

func (w *World) send(ctx context.Context, as Actor, c Call, e *Exchange) error {
	req, err := c.render(w.door.base)
	if err != nil {
		return err
	}
	placeholder := as.String()
	if c.As != nil {
		as.Credential = c.As
		placeholder += ": " + c.Label
	}
	beyond := hits{}
	tail := func(chunk []byte) { w.scanner().scan(chunk, beyond) }
	e.Request, e.Response, e.Begin, e.Took, err = w.door.pass(ctx, as, "<"+placeholder+">", e.Purpose == Attack, req, tail)
	for i := range beyond {
		e.Response.Beyond = append(e.Response.Beyond, w.history.Tokens[i].Value)
	}
	slices.Sort(e.Response.Beyond)
	return err
}

func (w *World) scanner() *scanner {
	w.mu.Lock()
	defer w.mu.Unlock()
	return newScanner(slices.Clone(w.history.Tokens))
}
