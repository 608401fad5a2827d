package reference

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/matrix"
	service "github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/faults"
	"github.com/partywall/partywall/reference/store"
)

// Parse reads what stands behind --target for the bundled service: "reference[:STRATEGY[@REPLICAS]][+FAULT...]". ok is false when
// the text means something else.
func Parse(text string) (o Options, ok bool, err error) {
	rest, ok := strings.CutPrefix(text, "reference")
	if !ok || rest != "" && rest[0] != ':' && rest[0] != '+' {
		return o, false, nil
	}
	names := strings.Split(rest, "+")
	if o.Strategy, o.Replicas, err = parseReplicas(strings.TrimPrefix(names[0], ":")); err != nil {
		return o, true, err
	}
	if _, err := service.Template(o.Strategy); err != nil {
		return o, true, err
	}
	for _, id := range names[1:] {
		if o, err = o.With(id); err != nil {
			return o, true, err
		}
	}
	return o, true, nil
}

// With plants a fault.
func (o Options) With(id string) (Options, error) {
	f, err := faults.Find(id)
	if err != nil {
		return o, err
	}
	strategy := o.Strategy
	if strategy == "" {
		strategy = "row"
	}
	if !f.Applies(strategy) {
		return o, fmt.Errorf("the fault %s exists in the strategy %s only; ask for reference:%s+%s",
			id, strings.Join(f.Strategies, ", "), f.Strategies[0], id)
	}
	o.Plant = append(append([]func(*service.Parts){}, o.Plant...), f.Plant)
	o.Label += "+" + id
	o.Replicas = max(o.Replicas, f.Replicas)
	return o, nil
}

// Subjects of the detection matrix: the clean service and every fault, in each of the strategies; a fault that is indifferent to
// them in the first one only, unless all are asked for.
func Subjects(engine *backing.Engine, strategies []string, all bool) []matrix.Subject {
	open := func(o Options) matrix.Open {
		return func(ctx context.Context) (harness.Target, error) {
			t, err := Open(ctx, engine, o)
			if err != nil {
				return nil, err
			}
			return t, nil
		}
	}
	var out []matrix.Subject
	for i, strategy := range strategies {
		out = append(out, matrix.Subject{Strategy: strategy, Backing: engine.Kind(), Open: open(Options{Strategy: strategy})})
		for _, f := range faults.All() {
			if !f.Applies(strategy) || f.Indifferent && i > 0 && !all {
				continue
			}
			o := Options{Strategy: strategy, Plant: []func(*service.Parts){f.Plant}, Label: "+" + f.ID, Replicas: f.Replicas}
			subject := matrix.Subject{
				Fault: f.ID, Strategy: strategy, Strategies: applicable(f), Backing: engine.Kind(), Open: open(o), Expected: f.Scenarios,
			}
			if f.Indifferent && !all {
				subject.AlsoFor = strategies[1:]
			}
			for _, wall := range f.Walls {
				if wall.Stands(strategy) {
					without := o
					without.Plant = []func(*service.Parts){f.Plant, wall.Off}
					subject.Walls = append(subject.Walls, matrix.Wall{Name: wall.Name, Without: open(without)})
				}
			}
			out = append(out, subject)
		}
	}
	return out
}

// applicable are the strategies in which a fault can be planted.
func applicable(f faults.Fault) []string {
	return slices.DeleteFunc(store.Strategies(), func(s string) bool { return !f.Applies(s) })
}
