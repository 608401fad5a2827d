package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Side is one of the equal or unequal worlds that a twin script is run in.
type Side struct {
	*World
	// Target stands for the victim's object: a real one on the present sides, on the absent sides one that never was.
	Target *Object
	phase  string
}

// Attack sends a hostile request as the attacker and marks it for comparison. The symbols are values that differ from
// side to side by construction; the target's own are added.
func (s *Side) Attack(ctx context.Context, c Call, symbols ...string) *Exchange {
	for name, value := range s.Target.Values {
		if !strings.HasPrefix(name, "tenant.") && len(value) > 0 {
			symbols = append(symbols, value)
		}
	}
	return s.do(ctx, s.attacker, Attack, c, "", s.phase, symbols...)
}

// The phases of a twin. Each world is run twice: what differs between two equal worlds is noise.
const (
	absentSide  = "absent"
	presentSide = "present"
)

// Twin runs the script in two worlds, twice each: where the victim's object never existed, and where it does. The
// comparison of noninterference (Goguen and Meseguer, 1982): what the attacker sees must not depend on it. The twin is
// a never-existing id of the same shape inside one service: weaker than two services, and exact for per-tenant channels.
func (w *World) Twin(ctx context.Context, script func(context.Context, *Side) error) error {
	if w.theirs == nil {
		return Skip("%s cannot be created, so no twin of it can be made", w.resource.Name)
	}
	for _, n := range []string{"1", "2"} {
		if err := script(ctx, &Side{World: w, Target: w.ghost(), phase: absentSide + n}); err != nil {
			return err
		}
	}
	for _, n := range []string{"1", "2"} {
		real, err := w.Create(ctx, w.victim, w.resource)
		if err != nil {
			return err
		}
		if err := script(ctx, &Side{World: w, Target: real, phase: presentSide + n}); err != nil {
			return err
		}
	}
	return nil
}

// ghost is an object that never was: an id of the right shape and values that nobody holds.
func (w *World) ghost() *Object {
	ghost := *w.theirs
	ghost.Values = maps.Clone(w.theirs.Values)
	for _, f := range w.resource.Fields {
		if f.Fixed == "" && f.Refers == "" {
			ghost.Values[f.Name] = Ghost(w.rand, ghost.Values[f.Name])
		}
	}
	ghost.ID = Ghost(w.rand, ghost.ID)
	ghost.Values["id"] = ghost.ID
	return &ghost
}

// judgeTwin compares the sides request by request.
func judgeTwin(h *History) ([]Finding, error) {
	sides := map[string][]*Exchange{}
	for _, e := range h.Exchanges {
		if e.Purpose == Attack && e.Phase != "" {
			sides[e.Phase] = append(sides[e.Phase], e)
		}
	}
	a1, a2, p1, p2 := sides[absentSide+"1"], sides[absentSide+"2"], sides[presentSide+"1"], sides[presentSide+"2"]
	if len(a1) == 0 {
		return nil, nil // nothing was compared: the premises will say so
	}
	if len(a2) != len(a1) || len(p1) != len(a1) || len(p2) != len(a1) {
		return nil, errors.New("the sides of the twin sent different numbers of requests and cannot be compared")
	}
	// Where owners cannot see their own, the present side may be as absent as the other.
	if reason := controls(h, newScanner(h.Tokens)); reason != "" {
		return nil, errors.New(reason)
	}
	var findings []Finding
	for i := range a1 {
		channel, what := compare(view(a1[i]), view(a2[i]), view(p1[i]), view(p2[i]))
		if channel == "" {
			continue
		}
		findings = append(findings, Finding{
			Summary: fmt.Sprintf("%s can tell whether the victim's %s exists: %s to %s differs (%s)",
				h.Cell.Attacker, h.Cell.Resource, channel, p1[i].Verb, what),
			Attacker: h.Cell.Attacker, Victim: h.Cell.Victim, Channel: channel, verb: p1[i].Verb,
			Evidence: []string{a1[i].ID, p1[i].ID},
		})
	}
	return findings, nil
}

// seen is what an attacker can observe of one answer, as named values.
type seen map[string]string

// Values that differ in any two answers, whoever asks: they become symbols before anything is compared.
var moving = []struct {
	re     *regexp.Regexp
	symbol string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?`), "<time>"},
	{regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`), "<uuid>"},
}

func view(e *Exchange) seen {
	symbols := slices.Clone(e.Symbols)
	// Longer ones first: one symbol may be a part of another.
	slices.SortFunc(symbols, func(a, b string) int { return len(b) - len(a) })
	mask := func(s string) string {
		for _, symbol := range symbols {
			if len(symbol) >= 3 {
				s = strings.ReplaceAll(s, symbol, "<it>")
			}
		}
		for _, m := range moving {
			s = m.re.ReplaceAllString(s, m.symbol)
		}
		return s
	}
	out := seen{"status": fmt.Sprint(e.Response.Status)}
	for name, values := range e.Response.Header {
		if name != "Date" && name != "Content-Length" { // a clock, and the body's length that is compared on its own
			out["header "+name] = mask(strings.Join(values, ", "))
		}
	}
	body := mask(string(e.Response.Body))
	if flat, ok := flatten([]byte(body)); ok {
		for pointer, value := range flat {
			out["body "+pointer] = value
		}
		return out
	}
	out["body"] = body
	out["length"] = fmt.Sprint(len(body))
	return out
}

// compare finds the first observable that is steady within equal worlds and differs between unequal ones. Noise may
// cover a value, never a status and never the presence of a value.
func compare(a1, a2, p1, p2 seen) (channel, what string) {
	names := map[string]bool{}
	for _, s := range []seen{a1, p1} {
		for name := range s {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		va1, ina1 := a1[name]
		va2, ina2 := a2[name]
		vp1, inp1 := p1[name]
		vp2, inp2 := p2[name]
		steady := ina1 == ina2 && inp1 == inp2 && va1 == va2 && vp1 == vp2
		if steady && (ina1 != inp1 || va1 != vp1) {
			return strings.Fields(name)[0], fmt.Sprintf("%s: %q against %q", name, clip(va1), clip(vp1))
		}
	}
	return "", ""
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
