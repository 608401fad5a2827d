package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// flatten turns a JSON text into pointer-value pairs; ok is false when it is no JSON object or array.
func flatten(body []byte) (flat map[string]string, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, false
	}
	switch value.(type) {
	case map[string]any, []any:
	default:
		return nil, false
	}
	flat = map[string]string{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, e := range v {
				walk(at+"/"+name, e)
			}
			flat[at+"/{}"] = fmt.Sprint(len(v))
		case []any:
			for i, e := range v {
				walk(fmt.Sprintf("%s/%d", at, i), e)
			}
			flat[at+"/[]"] = fmt.Sprint(len(v))
		default:
			flat[at] = plain(v)
		}
	}
	walk("", value)
	return flat, true
}

// changed lists the pointers at which two flat texts differ, sorted.
func changed(a, b map[string]string) (pointers []string) {
	for p, v := range a {
		if w, ok := b[p]; !ok || w != v {
			pointers = append(pointers, p)
		}
	}
	for p := range b {
		if _, ok := a[p]; !ok {
			pointers = append(pointers, p)
		}
	}
	sort.Strings(pointers)
	return pointers
}

// sameState compares what the owner saw of an object before and after: status and body; headers do not count as state. Of
// a list only the object's own values count.
func sameState(s *scanner, before, after *Exchange) bool {
	a, b := &before.Response, &after.Response
	if a.Status != b.Status {
		return false
	}
	if before.Verb == List {
		return lostValue(s, before, after) == ""
	}
	if bytes.Equal(a.Body, b.Body) {
		return true
	}
	flatA, okA := flatten(a.Body)
	flatB, okB := flatten(b.Body)
	return okA && okB && len(changed(flatA, flatB)) == 0
}

// lostValue names the field of the object whose value the owner saw before and does not see any more, or "".
func lostValue(s *scanner, before, after *Exchange) string {
	was, is := hits{}, hits{}
	s.scan(before.Response.Body, was)
	s.scan(after.Response.Body, is)
	for i, t := range s.tokens {
		_, seen := was[i]
		if _, still := is[i]; seen && !still && t.Owner == before.Tenant && (before.Object == "" || t.Object == before.Object) {
			return t.Field
		}
	}
	return ""
}

// judgeState finds objects of the victim that changed or vanished during the attack. Differences that also show
// between two reads after the attack are noise.
func judgeState(h *History) ([]Finding, error) {
	type views struct{ before, after, again *Exchange }
	seen := map[string]*views{}
	var order []string
	moving := h.movingPointers()
	for _, e := range h.Exchanges {
		if e.Purpose != Check || e.Object == "" {
			continue
		}
		v := seen[e.Object]
		if v == nil {
			v = &views{}
			seen[e.Object] = v
			order = append(order, e.Object)
		}
		switch e.Phase {
		case "before":
			v.before = e
		case "after":
			v.after = e
		case "again":
			v.again = e
		}
	}
	var findings []Finding
	for _, label := range order {
		v := seen[label]
		if v.before == nil || v.after == nil || !v.before.OK || v.again == nil {
			continue
		}
		what := h.difference(v.before, v.after, v.again, moving[kindOf(label)])
		if what == "" {
			continue
		}
		evidence := append(h.culprits(v.after), v.before.ID, v.after.ID)
		findings = append(findings, Finding{
			Summary:  fmt.Sprintf("%s %s %s during the attack", h.whose(label), kindOf(label), what),
			Attacker: h.Cell.Attacker, Victim: h.Cell.Victim, Evidence: evidence, Channel: "state", verb: v.before.Verb,
		})
	}
	return findings, nil
}

// whose object it is, by its label.
func (h *History) whose(label string) string {
	if owner, _, _ := strings.Cut(label, "/"); owner != h.Cell.Victim {
		return "a neighbour's"
	}
	return "the victim's"
}

// movingPointers are, by resource, the pointers whose values changed in an object that nobody attacked.
func (h *History) movingPointers() map[string][]string {
	first, moving := map[string]map[string]string{}, map[string][]string{}
	for _, e := range h.Exchanges {
		if e.Phase != untouchedPhase || !e.OK {
			continue
		}
		flat, ok := flatten(e.Response.Body)
		if was := first[e.Object]; was != nil && ok {
			moving[e.Resource] = append(moving[e.Resource], changed(was, flat)...)
		} else if ok {
			first[e.Object] = flat
		}
	}
	return moving
}

// difference says in words how an object changed, or "" if it did not or if that cannot be told. Pointers that move by themselves
// say nothing.
func (h *History) difference(before, after, again *Exchange, moving []string) string {
	if !after.OK {
		if again.OK || unjudgeable(after) || unjudgeable(again) {
			return ""
		}
		return fmt.Sprintf("vanished (its owner got %d, then %d)", before.Response.Status, after.Response.Status)
	}
	if before.Verb == List {
		s := newScanner(h.Tokens)
		if field := lostValue(s, before, after); field != "" && lostValue(s, before, again) != "" {
			return "lost its " + field
		}
		return ""
	}
	flatBefore, jsonBefore := flatten(before.Response.Body)
	flatAfter, jsonAfter := flatten(after.Response.Body)
	flatAgain, jsonAgain := flatten(again.Response.Body)
	if jsonBefore && jsonAfter && jsonAgain {
		noise := append(changed(flatAfter, flatAgain), moving...)
		pointers := slices.DeleteFunc(changed(flatBefore, flatAfter), func(p string) bool { return slices.Contains(noise, p) })
		if len(pointers) == 0 {
			return ""
		}
		return "changed at " + strings.Join(pointers[:min(3, len(pointers))], ", ")
	}
	if bytes.Equal(after.Response.Body, again.Response.Body) {
		if bytes.Equal(before.Response.Body, after.Response.Body) {
			return ""
		}
		return "changed"
	}
	// A page that differs at every look: only the victim's own tokens in it are state.
	if field := lostValue(newScanner(h.Tokens), before, after); field != "" {
		return "lost its " + field
	}
	return ""
}

// unjudgeable answers say nothing about an object: the service, a limiter or the session spoke.
func unjudgeable(e *Exchange) bool {
	return e.Err != "" || e.Response.Status >= 500 || e.Response.limited() || e.Response.Status == 401
}

// kindOf is the resource in an object's label "a/documents/2".
func kindOf(label string) string {
	parts := strings.Split(label, "/")
	if len(parts) < 2 {
		return label
	}
	return parts[1]
}
