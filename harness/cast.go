package harness

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// labels of a cast, in the order in which its tenants are provisioned.
var labels = [...]string{"a", "b", "c"}

// human names are the same in every cast: isolation must not rest on names being different.
var names = [...]string{"acme", "globex", "initech"}

// cast is up to three tenants with their principals. Three give six ordered pairs.
type cast struct{ members []member }

type member struct {
	label  string
	tenant Tenant
}

func (m *member) actor() Actor {
	if len(m.tenant.Principals) == 0 {
		return Actor{Tenant: m.label, Principal: "nobody"}
	}
	p := m.tenant.Principals[0]
	return Actor{Tenant: m.label, Principal: p.Name, Credential: p.Credential}
}

func (c *cast) member(label string) *member {
	for i := range c.members {
		if c.members[i].label == label {
			return &c.members[i]
		}
	}
	return &member{label: label}
}

// provision asks the target for up to size tenants. Two are enough; fewer cannot be tested.
func provision(ctx context.Context, t Target, size int) (*cast, error) {
	c := &cast{}
	for i := range size {
		tenant, err := t.Provision(ctx, names[i])
		if errors.Is(err, ErrNoTenant) && i >= 2 {
			break
		}
		if err != nil {
			return c, fmt.Errorf("provision tenant %s: %w", names[i], err)
		}
		c.members = append(c.members, member{label: labels[i], tenant: tenant})
	}
	return c, nil
}

// pair is an ordered pair of labels: who attacks whom.
type pair struct{ attacker, victim string }

func (p pair) String() string { return p.attacker + "-" + p.victim }

const anonymous = "anonymous"

func pairs(size int) (out []pair) {
	for _, attacker := range labels[:size] {
		for _, victim := range labels[:size] {
			if attacker != victim {
				out = append(out, pair{attacker, victim})
			}
		}
	}
	return out
}

// lane is a cast whose cells run one after another, so that no attack disturbs another's victim. Every tenant of it
// holds one object of each resource: the bystanders of every attack.
type lane struct {
	number   int
	cast     *cast
	holdings map[string]map[string]*Object // label, resource
	tokens   []Token
	serial   atomic.Int64
}

// furnish gives every tenant its holdings. What was lost in an attack is made again.
func (l *lane) furnish(ctx context.Context, w *World) error {
	if l.holdings == nil {
		l.holdings = map[string]map[string]*Object{}
	}
	for _, m := range l.cast.members {
		if l.holdings[m.label] == nil {
			l.holdings[m.label] = map[string]*Object{}
		}
		for i := range w.surface.Resources {
			r := &w.surface.Resources[i]
			if _, creates := r.Operation(Create); !creates || l.holdings[m.label][r.Name] != nil {
				continue
			}
			o, err := w.Create(ctx, m.label, r)
			if err != nil {
				return err
			}
			l.holdings[m.label][r.Name] = o
		}
	}
	return nil
}

// end gives back what the lane was given: tenants that the harness brought to life are deleted where the target can
// do that, and what was put into borrowed ones is removed.
func (l *lane) end(ctx context.Context, t Target, w *World) {
	lifecycle, can := t.(Lifecycle)
	for _, m := range l.cast.members {
		if can && !m.tenant.Borrowed {
			// A tenant that an attack ended already answers with an error, which nobody needs to hear of.
			_ = lifecycle.Delete(ctx, m.tenant)
			continue
		}
		for _, o := range l.holdings[m.label] {
			w.objects = append(w.objects, o)
		}
	}
	l.holdings = nil
	w.clean(ctx)
}

// lost forgets a holding that an attack destroyed or changed.
func (l *lane) lost(o *Object) {
	if l.holdings[o.Owner][o.Resource.Name] == o {
		delete(l.holdings[o.Owner], o.Resource.Name)
	}
}
