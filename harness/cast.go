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
	ended  bool // by an attack
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
	return c, c.distinct(ctx)
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
	refused  map[string]bool               // label/resource of holdings that could not be made
	orphans  []*Object                     // former holdings that an attack destroyed, or only changed
	undone   []undone
	tokens   []Token
	given    []Gift // tokens of holdings that somebody else has sent, and so knows
	serial   atomic.Int64
}

// furnish gives tenants their holdings. What was lost in an attack is made again. Their values are drawn apart from those
// of the cell that happens to need them first, so that a seed gives the same cell in whichever order cells run.
//
// A resource that cannot be created is a matter of its own cells, and of those of what lies under it: the others do
// without such a bystander, and do not ask again.
func (l *lane) furnish(ctx context.Context, w *World, labels ...string) error {
	if l.holdings == nil {
		l.holdings, l.refused = map[string]map[string]*Object{}, map[string]bool{}
	}
	ofCell := w.rand
	defer func() { w.rand = ofCell }()
	needed := w.surface.leans(w.resource)
	for _, label := range labels {
		if l.holdings[label] == nil {
			l.holdings[label] = map[string]*Object{}
		}
		for i := range w.surface.Resources {
			r := &w.surface.Resources[i]
			_, creates := r.Operation(Create)
			if !creates || l.holdings[label][r.Name] != nil || l.refused[label+"/"+r.Name] && !needed[r.Name] {
				continue
			}
			if err := l.hold(ctx, w, label, r); err != nil && (needed[r.Name] || ctx.Err() != nil) {
				return err
			}
		}
	}
	return nil
}

// hold makes a tenant's holding of one resource.
func (l *lane) hold(ctx context.Context, w *World, label string, r *Resource) error {
	l.refused[label+"/"+r.Name] = true
	for below := range w.surface.leans(r) {
		if below != r.Name && l.refused[label+"/"+below] {
			return fmt.Errorf("%s needs %s, which could not be created", r.Name, below)
		}
	}
	w.rand = newRand(w.seed, fmt.Sprintf("holding %s of %s in lane %d, %s, %d", r.Name, label, l.number, w.history.Cell.ID, l.serial.Load()))
	o, err := w.Create(ctx, label, r)
	if err != nil {
		return err
	}
	l.holdings[label][r.Name], l.refused[label+"/"+r.Name] = o, false
	return nil
}

func (c *cast) labels() (out []string) {
	for _, m := range c.members {
		out = append(out, m.label)
	}
	return out
}

// lost forgets a holding that an attack destroyed or changed.
func (l *lane) lost(o *Object) {
	if l.holdings[o.Owner][o.Resource.Name] == o {
		delete(l.holdings[o.Owner], o.Resource.Name)
		l.orphans = append(l.orphans, o)
	}
}
