package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Scenario is one attack with one claim. It acts on one resource, as one attacker against one victim, and judges
// nothing: what it does is recorded, and the judges decide.
type Scenario struct {
	ID    string // "cache/key-injection"
	Claim string // "a crafted key cannot reach another tenant's entry"
	// Why says what is at stake, Fix how services get it right. Both are for people.
	Why, Fix string
	Refs     Refs
	Needs    Needs
	// Anonymous: the attack also makes sense for somebody without a credential.
	Anonymous bool
	// Ends: the attack ends the victim, so each cell gets fresh tenants and the victim's state is not read afterwards.
	Ends bool
	// Twin: the attack compares two worlds by phase; the twin judge runs.
	Twin bool
	// Limits: the attack is about limits. It has tenants of its own on a tier, what is refused is not sent again, and no other attack about
	// limits goes on at the same time: the target's clock may be moved.
	Limits bool
	// Alone: no other cell is played meanwhile, so that what the attacker sees move was moved by the cell itself.
	Alone bool
	// Front: the claim is about the way in, where it is decided for whom a request is, before any object is looked for. On each resource
	// one pair stands for all.
	Front bool
	// Once: the claim is about the service as a whole. The first resource that offers what is needed, and one pair, stand for all.
	Once bool
	// Attack acts. An error ends the cell as inconclusive, unless it is made by Skip.
	Attack func(ctx context.Context, w *World) error
	// Judge is optional: the canary judge and the state judge always run.
	Judge Judge
	_     struct{}
}

// Refs ties a scenario or a fault to the public record.
type Refs struct {
	CheatSheet []string `json:"cheat_sheet"`          // the lines of the cheat sheet that the claim speaks for, in its words
	CWE        []int    `json:"cwe,omitempty"`        //
	OWASP      []string `json:"owasp,omitempty"`      // OWASP API Security Top 10 2023: "API1"
	Techniques []string `json:"techniques,omitempty"` // rows of the attack catalogue
	Bugs       []string `json:"bugs,omitempty"`       // public bugs of this kind
}

// Needs is what the surface and the target must offer; else a cell is skipped, with that reason.
type Needs struct {
	// Verbs of which the resource must have at least one.
	Verbs []Verb
	// Objects: the resource must be one that tenants create.
	Objects bool
	// Trail: the resource must be an audit trail.
	Trail bool
	// Chosen: the client must choose the ids of the resource.
	Chosen bool
	// Forger: the attacker's credential must carry a token that can be rewritten.
	Forger bool
	// Lifecycle: the target must be able to end a tenant; Closer: to close one and keep what it has.
	Lifecycle, Closer bool
	// Export: the surface must say how a tenant exports what it has.
	Export bool
	// Stored: the surface must say how the object store hands out what a tenant has, and on which tier.
	Stored bool
	// Rates: tenants can be had on a tier that limits requests. Quota: on one that bounds how many objects of the resource there are.
	Rates, Quota bool
	// Clock: the clock of the limits can be moved.
	Clock bool
	// Layers: what the service tells its operators there can be seen.
	Layers []Layer
}

// missing returns why a resource of a target does not offer what is needed, or "".
func (n Needs) missing(s *Surface, r *Resource, t Target, attacker Actor) string {
	if len(n.Verbs) > 0 {
		has := false
		for _, v := range n.Verbs {
			_, ok := r.Operation(v)
			has = has || ok
		}
		if !has {
			words := make([]string, 0, len(n.Verbs))
			for _, v := range n.Verbs {
				words = append(words, string(v))
			}
			return fmt.Sprintf("%s has no operation to %s", r.Name, strings.Join(words, " or "))
		}
	}
	if _, creates := r.Operation(Create); n.Objects && !creates {
		return "tenants cannot create " + r.Name
	}
	if n.Trail && !r.Trail {
		return r.Name + " are no audit trail"
	}
	if n.Chosen && r.Chosen == "" {
		return "clients do not choose the ids of " + r.Name
	}
	if n.Forger {
		if _, ok := attacker.Credential.(Forger); !ok {
			return "the attacker's credential carries no token to rewrite"
		}
	}
	if n.Lifecycle {
		if _, ok := t.(Lifecycle); !ok {
			return "the target cannot end a tenant"
		}
	}
	if n.Export && s.Export == nil {
		return "the surface describes no export"
	}
	if _, tiered := t.(Tiered); n.Stored {
		if _, ok := s.tier(func(t Tier) bool { return t.Stored }); s.Stored == nil || !ok || !tiered {
			return "the surface describes no URLs of an object store"
		}
	}
	if n.Closer {
		if _, ok := t.(Closer); !ok {
			return "the target cannot close a tenant"
		}
	}
	for _, layer := range n.Layers {
		if watcher, ok := t.(Watcher); !ok || !slices.Contains(watcher.Layers(), layer) {
			return fmt.Sprintf("the target does not show the service's %s", layer)
		}
	}
	return n.missingLimits(s, r, t)
}

// missingLimits is missing for what scenarios about limits need.
func (n Needs) missingLimits(s *Surface, r *Resource, t Target) string {
	_, tiered := t.(Tiered)
	_, clock := t.(Clock)
	_, limited := s.limited()
	_, bounded := s.bounded(r.Name)
	switch {
	case n.Rates && (!limited || !tiered):
		return "no tenant can be had on a tier that limits its requests"
	case n.Quota && (!bounded || !tiered):
		return "no tenant can be had on a tier that bounds how many " + r.Name + " it has"
	case n.Clock && !clock:
		return "the clock of the target's limits cannot be moved"
	default:
		return ""
	}
}

type skipError struct{ reason string }

func (e skipError) Error() string { return e.reason }

// Skip is returned by an attack that finds, before it sent anything hostile, that it does not apply.
func Skip(format string, args ...any) error { return skipError{fmt.Sprintf(format, args...)} }

func skipped(err error) (string, bool) {
	var s skipError
	if errors.As(err, &s) {
		return s.reason, true
	}
	return "", false
}
