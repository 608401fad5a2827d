package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/partywall/partywall/harness"
)

// stillThere begins the labels of what neighbours ask for once the tenant whose name is like theirs is gone.
const stillThere = "a neighbour reads its own"

func lifecycleFoldedNames() harness.Scenario {
	return harness.Scenario{
		ID:    "lifecycle/folded-names",
		Claim: "tenants whose names differ in case or in - and _ alone share nothing, and none goes with another",
		Why: "Names become names of schemas, databases, folders and queues. Where they are folded to fit, by lower case or by _ for -, two " +
			"customers meet in one room: they see each other's, and the deletion of one takes the other along.",
		Fix: "Name rooms by an id of fixed form, never by what people choose; allow no two names that fold to one; let a room refuse rows of others.",
		Refs: harness.Refs{
			CheatSheet: []string{"Separate Schemas", "Broken Tenant Isolation"},
			CWE:        []int{178, 706}, OWASP: []string{"API1"},
		},
		Needs: harness.Needs{Objects: true, Lifecycle: true, Verbs: []harness.Verb{harness.Read}},
		Ends:  true,
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			all, refused, err := namesakes(ctx, w)
			if err != nil {
				return err
			}
			if !refused && !anyAlike(w, all) {
				return harness.Skip("tenants get names that the target makes, so that no two of them are alike")
			}
			if len(all) == 0 {
				return harness.Skip("no further tenant can be had under a name like the victim's")
			}
			first, others := all[0], append(all[1:], w.Theirs())
			for _, o := range others {
				w.Watch(ctx, o)
				reach(ctx, w, o, first)
				reach(ctx, w, first, o)
			}
			if _, err := w.EndOf(ctx, first.Owner); err != nil {
				return err
			}
			survive(ctx, w, others)
			return nil
		},
		Judge: judgeSurvival,
	}
}

// namesakes makes tenants whose names are alike, as far as the service has them, each with an object.
func namesakes(ctx context.Context, w *harness.World) (all []*harness.Object, refused bool, err error) {
	_, name := w.VictimTenant()
	for _, like := range alike(name + "-eu") {
		who, err := w.Join(ctx, w.Victim()+"-"+like.word, like.name)
		if errors.Is(err, harness.ErrName) {
			refused = true // that is a wall as well
			continue
		}
		if err != nil {
			return nil, refused, err
		}
		o, err := w.Create(ctx, who.Tenant, w.Resource())
		if err != nil {
			return nil, refused, err
		}
		all = append(all, o)
	}
	return all, refused, nil
}

// anyAlike tells whether two of the owners have names that a careless service folds into one.
func anyAlike(w *harness.World, all []*harness.Object) bool {
	seen := map[string]bool{}
	for _, o := range all {
		_, name := w.TenantOf(o.Owner)
		folded := strings.ReplaceAll(strings.ToLower(name), "_", "-")
		if seen[folded] {
			return true
		}
		seen[folded] = true
	}
	return false
}

type named struct{ word, name string }

// alike are names that a careless service folds into one.
func alike(name string) []named {
	return []named{{"dash", name}, {"underscore", strings.ReplaceAll(name, "-", "_")}, {"capitals", strings.ToUpper(name)}}
}

// reach has the owner of one object read, and list, what belongs to the owner of the other.
func reach(ctx context.Context, w *harness.World, own, foreign *harness.Object) {
	who := w.Actor(own.Owner)
	if c, ok := w.CallFor(who, harness.Read, foreign); ok {
		c.Label = "what a tenant of a similar name has"
		w.AttackAs(ctx, who, c)
	}
	if c, ok := w.CallFor(who, harness.List, own); ok {
		c.Label = "the list, beside a tenant of a similar name"
		w.AttackAs(ctx, who, c)
	}
}

// survive has neighbours read their own, twice, while somebody of another name can.
func survive(ctx context.Context, w *harness.World, own []*harness.Object) {
	for range 2 {
		for _, o := range own {
			if c, ok := w.CallFor(w.Actor(o.Owner), harness.Read, o); ok {
				c.Label = stillThere
				w.Prepare(ctx, w.Actor(o.Owner), c)
			}
		}
		if c, ok := w.Call(harness.Read, w.Mine()); ok {
			w.Control(ctx, w.Attacker(), c)
		}
	}
}

// judgeSurvival finds who can read its own no more. A service that lost a room may answer anything at all, also that it failed or that
// there is no such login, as long as it goes on to answer others: the general judges take that for a service in trouble.
func judgeSurvival(h *harness.History) (findings []harness.Finding, _ error) {
	could, refused := map[string]bool{}, map[string][]*harness.Exchange{}
	served := false
	for _, e := range h.Exchanges {
		switch {
		case e.Label == stillThere && !e.OK && e.Err == "" && !e.Refused():
			refused[e.Tenant] = append(refused[e.Tenant], e)
		case e.Label == stillThere:
			delete(refused, e.Tenant)
		case e.Purpose == harness.Check && e.OK:
			could[e.Tenant] = true
		case e.Purpose == harness.Control && e.Tenant == h.Cell.Attacker:
			served = e.OK // the last of them stands behind all that was refused
		}
	}
	for _, e := range h.Exchanges {
		times := refused[e.Tenant]
		if len(times) < 2 || !could[e.Tenant] || !served || e != times[0] {
			continue
		}
		findings = append(findings, harness.Finding{
			Summary: fmt.Sprintf("a tenant could not reach its own %s any more (it got %d, then %d) once one whose name is like its own was deleted",
				e.Resource, times[0].Response.Status, times[1].Response.Status),
			Attacker: h.Cell.Attacker, Victim: e.Tenant, Channel: "state", Evidence: []string{times[0].ID, times[1].ID},
		})
	}
	return findings, nil
}
