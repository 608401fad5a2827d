package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
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
	// Absent, present, absent, present: whatever only grows with time, such as a clock, cannot be alike within equal worlds
	// and differ between unequal ones. What changes in turns could, such as the name of the one of several servers that answers:
	// a difference has to show once more, in the other order.
	if err := w.sides(ctx, script, absentSide+"1", presentSide+"1", absentSide+"2", presentSide+"2"); err != nil {
		return err
	}
	if found, err := judgeTwin(w.history); err == nil && len(found) == 0 {
		return nil
	}
	return w.sides(ctx, script, presentSide+"3", absentSide+"3")
}

// sides runs the script in worlds with and without the victim's object, in this order.
func (w *World) sides(ctx context.Context, script func(context.Context, *Side) error, phases ...string) error {
	for _, phase := range phases {
		target := w.ghost()
		if strings.HasPrefix(phase, presentSide) {
			var err error
			if target, err = w.Create(ctx, w.victim, w.resource); err != nil {
				return err
			}
		}
		if err := script(ctx, &Side{World: w, Target: target, phase: phase}); err != nil {
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
	first, second := sides[absentSide+"1"], sides[presentSide+"1"]
	if len(first) == 0 {
		return nil, nil // nothing was compared: the premises will say so
	}
	for _, phase := range []string{absentSide + "2", presentSide + "1", presentSide + "2"} {
		if len(sides[phase]) != len(first) {
			return nil, errors.New("the sides of the twin sent different numbers of requests and cannot be compared")
		}
	}
	// Where owners cannot see their own, the present side may be as absent as the other.
	if reason := controls(h, newScanner(h.Tokens)); reason != "" {
		return nil, errors.New(reason)
	}
	var findings []Finding
	for i := range first {
		channel, what := compare(nth(sides, absentSide, i), nth(sides, presentSide, i))
		if channel == "" {
			continue
		}
		findings = append(findings, Finding{
			Summary: fmt.Sprintf("%s can tell whether the victim's %s exists: %s to %s differs (%s)",
				h.Cell.Attacker, h.Cell.Resource, channel, second[i].Verb, what),
			Attacker: h.Cell.Attacker, Victim: h.Cell.Victim, Channel: channel, verb: second[i].Verb,
			Evidence: []string{second[i].ID, first[i].ID},
		})
	}
	return findings, nil
}

// nth is what the sides of one kind saw of their request with a number; nothing when one of them was not answered by the service
// itself, for then there is nothing to compare.
func nth(sides map[string][]*Exchange, kind string, i int) (views []seen) {
	for _, n := range []string{"1", "2", "3"} {
		side := sides[kind+n]
		if i >= len(side) {
			continue // there is a third one only where the first two differ
		}
		if e := side[i]; e.Err != "" || e.Response.limited() || e.Response.absent() {
			return nil
		}
		views = append(views, view(side[i]))
	}
	return views
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

// compare finds an observable that is steady within equal worlds and differs between unequal ones; the status speaks first.
// Noise may cover a value, never a status and never the presence of a value.
func compare(absent, present []seen) (channel, what string) {
	if len(absent) == 0 || len(present) == 0 {
		return "", ""
	}
	names := maps.Clone(absent[0])
	maps.Copy(names, present[0])
	for _, name := range append([]string{"status"}, slices.Sorted(maps.Keys(names))...) {
		without, steady := agreed(absent, name)
		with, alsoSteady := agreed(present, name)
		if steady && alsoSteady && without != with {
			return strings.Fields(name)[0], fmt.Sprintf("%s: %s where it is not, %s where it is", name, clip(without), clip(with))
		}
	}
	return "", ""
}

// agreed is what all sides saw under a name, in words; steady is false when they saw different things.
func agreed(sides []seen, name string) (value string, steady bool) {
	words := func(s seen) string {
		v, there := s[name]
		if !there {
			return "nothing"
		}
		return strconv.Quote(v)
	}
	value = words(sides[0])
	return value, !slices.ContainsFunc(sides, func(s seen) bool { return words(s) != value })
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
