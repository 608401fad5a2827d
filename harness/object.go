package harness

import (
	"context"
	"fmt"
	"maps"
	"strings"
)

// An Object is one thing that a tenant owns in the service under attack.
type Object struct {
	Label    string // "a/documents/2": stable from run to run, unlike the id
	Owner    string // label in the cast
	Resource *Resource
	ID       string
	// Values of its fields and of the variables that reach it: id, parents, tenant.id, tenant.name.
	Values Values

	planted bool // made by an attack
	removed bool // or found to be impossible to remove
}

// Values draws fresh values for all fields of the resource, owned by a tenant of the cast. Every text and integer
// becomes a token: should somebody else receive it, it proves a flow.
func (w *World) Values(r *Resource, owner string) Values {
	return w.draw(r, owner, w.nextLabel(owner, r))
}

func (w *World) nextLabel(owner string, r *Resource) string {
	return fmt.Sprintf("%s/%s/%d", owner, r.Name, w.lane.serial.Add(1))
}

func (w *World) draw(r *Resource, owner, label string) Values {
	values := Values{}
	m := w.cast.member(owner)
	values["tenant.id"], values["tenant.name"] = m.tenant.ID, m.tenant.Name
	for _, parent := range r.Parents {
		if o := w.lane.holdings[owner][parent]; o != nil {
			values[parent] = o.ID
		}
	}
	for _, f := range r.Fields {
		switch {
		case f.Fixed != "":
			values[f.Name] = f.Fixed
		case f.Refers != "":
			if o := w.lane.holdings[owner][f.Refers]; o != nil {
				values[f.Name] = o.ID
			}
		case f.Type == Integer:
			values[f.Name] = newIntegerCanary(w.rand)
			w.token(Token{Value: values[f.Name], Kind: IntegerToken, Owner: owner, Object: label, Field: f.Name})
		default:
			values[f.Name] = newCanary(w.rand)
			w.token(Token{Value: values[f.Name], Kind: CanaryToken, Owner: owner, Object: label, Field: f.Name})
		}
	}
	return values
}

// Create makes a new object for a tenant of the cast. Where clients choose ids, the id carries a canary too.
func (w *World) Create(ctx context.Context, owner string, r *Resource) (*Object, error) {
	label := w.nextLabel(owner, r)
	values := w.draw(r, owner, label)
	if r.Chosen != "" {
		unique := newCanary(w.rand)
		values["id"] = expand(r.Chosen, Values{"unique": unique}, nil)
		w.token(Token{Value: unique, Kind: CanaryToken, Owner: owner, Object: label, Field: "id"})
	}
	return w.create(ctx, owner, r, label, values)
}

// Colliding makes an object of the same client-chosen id for each of two tenants: the id proves nothing, what stands
// under it does.
func (w *World) Colliding(ctx context.Context, r *Resource, first, second string) (a, b *Object, err error) {
	id := expand(r.Chosen, Values{"unique": "shared-" + newCanary(w.rand)[:8]}, nil)
	if a, err = w.createAs(ctx, first, r, id); err != nil {
		return nil, nil, err
	}
	b, err = w.createAs(ctx, second, r, id)
	return a, b, err
}

func (w *World) createAs(ctx context.Context, owner string, r *Resource, id string) (*Object, error) {
	label := w.nextLabel(owner, r)
	values := w.draw(r, owner, label)
	values["id"] = id
	return w.create(ctx, owner, r, label, values)
}

func (w *World) create(ctx context.Context, owner string, r *Resource, label string, values Values) (*Object, error) {
	op, ok := r.Operation(Create)
	if !ok {
		return nil, fmt.Errorf("%s cannot be created through this surface", r.Name)
	}
	e := w.do(ctx, w.Actor(owner), Setup, NewCall(r, op, values), label, "")
	if !e.OK {
		return nil, fmt.Errorf("%s could not create %s: %s", e.Actor, r.Name, e.outcome())
	}
	o := &Object{Label: label, Owner: owner, Resource: r, Values: values, ID: w.id(r, values, e)}
	if o.ID == "" {
		w.lane.undone = append(w.lane.undone, undone{o, "the answer to its create holds no id"})
		return nil, fmt.Errorf("%s created %s, but the answer holds no id where the surface says", e.Actor, r.Name)
	}
	w.adopt(o)
	return o, nil
}

// adopt remembers an object for the checks and for cleaning up, and makes its id a token if the service made it and
// it is too long to guess.
func (w *World) adopt(o *Object) {
	o.Values = maps.Clone(o.Values)
	o.Values["id"] = o.ID
	if o.Resource.Chosen == "" && unguessable(o.ID) {
		w.token(Token{Value: o.ID, Kind: IDToken, Owner: o.Owner, Object: o.Label, Field: "id"})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects = append(w.objects, o)
}

// id finds the id of what a create made: chosen by the client, or in the answer.
func (w *World) id(r *Resource, values Values, e *Exchange) string {
	if r.Chosen != "" {
		return values["id"]
	}
	id, _ := r.ID.find(&e.Response)
	return id
}

// unguessable tells whether an id is long and varied enough to be a token: a UUID is, a number or a word is not.
func unguessable(id string) bool {
	return len(id) >= 16 && !allDigits(id) && strings.ContainsAny(id, "0123456789") && !strings.Contains(id, "/")
}

// outcome describes in a few words how an exchange ended.
func (e *Exchange) outcome() string {
	if e.Err != "" {
		return e.Err
	}
	if e.Response.Status == 0 {
		return "no answer"
	}
	if e.Response.limited() {
		return "a limiter refused it (429)"
	}
	return fmt.Sprintf("status %d is no success here", e.Response.Status)
}
