package harness

import (
	"fmt"
	"maps"
	"slices"
)

// judgeCanaries finds tokens that reached somebody who neither owns them nor was given them.
//
// Knowledge is taken from the record: what a tenant was handed, and what it sent itself in any form, earlier or in the
// same request, proves nothing when it comes back. What ordinary lists show is left to the scenario that attacks lists;
// only what an attack wrote is looked for in those of the victim.
func judgeCanaries(h *History, r *reading) ([]Finding, error) {
	var findings []Finding
	reported := map[string]bool{}
	for i, e := range h.Exchanges {
		for _, leak := range r.leaks[i] {
			if !r.proves(e, leak) {
				continue
			}
			f := h.flow(e, h.Tokens[leak.token], leak.channel, leak.how)
			if key := f.Attacker + f.Victim + f.Channel + string(e.Purpose) + string(e.Verb); !reported[key] {
				reported[key] = true
				findings = append(findings, f)
			}
		}
	}
	return findings, nil
}

// A leak is a token in an answer to somebody who should not have it.
type leak struct {
	token   int
	channel string // body or header
	how     string // the encoding it was found in
}

// reading is what going through the exchanges of a history in their order has found: what leaked in which, given what
// its receiver knew by then.
type reading struct {
	leaks   [][]leak // by exchange
	h       *History
	scanner *scanner
	index   map[string]int
	known   map[string]hits // by tenant
	written hits            // what attacks sent
	leaky   bool            // the victim's lists showed others' objects before the attack
}

func newReading(h *History) *reading {
	r := &reading{h: h, scanner: newScanner(h.Tokens), index: map[string]int{}, known: map[string]hits{}, written: hits{}}
	for i, t := range h.Tokens {
		r.index[t.Value] = i
	}
	for _, g := range h.Given {
		if i, ok := r.index[g.Value]; ok {
			r.knows(g.Tenant)[i] = "given"
		}
	}
	for _, e := range h.Exchanges {
		r.leaks = append(r.leaks, r.next(e))
	}
	return r
}

func (r *reading) knows(tenant string) hits {
	if r.known[tenant] == nil {
		r.known[tenant] = hits{}
	}
	return r.known[tenant]
}

// next takes in one exchange and returns what leaked in it.
func (r *reading) next(e *Exchange) (leaks []leak) {
	if e.Purpose == Observe {
		return nil // operators may see whom they serve: what they must not see is for the scenario to say
	}
	for i, how := range r.scanner.sent(e) {
		r.knows(e.Tenant)[i] = how
		if e.Purpose == Attack {
			r.written[i] = how
		}
	}
	body, header := hits{}, hits{}
	r.scanner.scan(e.Response.Body, body)
	r.scanner.scanHeader(e.Response.Header, header)
	for _, value := range e.Response.Beyond {
		if i, ok := r.index[value]; ok {
			body[i] = "plain"
		}
	}
	add := func(channel string, found hits) {
		for i := range r.h.Tokens {
			how, there := found[i]
			if _, known := r.knows(e.Tenant)[i]; there && !known && r.h.Tokens[i].Owner != e.Tenant {
				leaks = append(leaks, leak{i, channel, how})
			}
		}
	}
	add("body", body)
	add("header", header)
	for _, l := range leaks {
		if e.Purpose == Plain {
			r.knows(e.Tenant)[l.token] = "plain"
		}
		r.leaky = r.leaky || e.Phase == intrudersBefore
	}
	return leaks
}

// known are the tokens that tenants who do not own them knew at the end of a history. Of what they know in the next cell of
// the lane nothing is proven: a service may well tell a tenant what that tenant has asked for.
func known(h *History, tokens []Token) (gifts []Gift) {
	r := newReading(h)
	for _, t := range tokens {
		for _, tenant := range slices.Sorted(maps.Keys(r.known)) {
			if _, ok := r.known[tenant][r.index[t.Value]]; ok && tenant != t.Owner {
				gifts = append(gifts, Gift{Tenant: tenant, Value: t.Value})
			}
		}
	}
	return gifts
}

// proves tells whether a leak speaks against the claim that is on trial.
func (r *reading) proves(e *Exchange, l leak) bool {
	switch {
	case e.Purpose == Attack:
		return true
	case e.Purpose == Plain:
		return false
	case e.Phase == intrudersBefore:
		return false // the victim reaches into the attacker's without any attack: another scenario speaks of that
	case e.Phase == intrudersAfter:
		_, written := r.written[l.token]
		return written && !r.leaky
	default:
		return e.Verb != List && e.Verb != Search
	}
}

// flow describes one token that crossed the wall.
func (h *History) flow(e *Exchange, t Token, channel, how string) Finding {
	what := fmt.Sprintf("the %s of the victim's %s", t.Field, kindOf(t.Object))
	f := Finding{Attacker: e.Actor, Victim: t.Owner, Channel: channel, verb: e.Verb, Evidence: []string{e.ID}}
	switch {
	case e.Purpose == Attack:
		f.Summary = fmt.Sprintf("%s received %s", e.Actor, what)
	case t.Owner == h.Cell.Attacker:
		// The victim meets what the attacker planted: a write crossed the wall.
		f.Attacker, f.Victim = t.Owner, e.Tenant
		f.Summary = fmt.Sprintf("the attacker's %s of %s turned up at the victim (%s %s)", t.Field, kindOf(t.Object), e.Verb, e.Resource)
		f.Evidence = append(h.carriers(t.Value), e.ID)
	default:
		f.Summary = fmt.Sprintf("%s received %s in an ordinary %s of %s", e.Actor, what, e.Verb, e.Resource)
	}
	if how != "plain" && how != "header" {
		f.Summary += " (" + how + ")"
	}
	return f
}

// controls returns why the owners could not show that they reach their own objects, or "".
func controls(h *History, s *scanner) string {
	count := 0
	for _, e := range h.Exchanges {
		if e.Purpose != Control {
			continue
		}
		count++
		if e.Phase == provePhase {
			continue // one of several is enough: see unproven
		}
		if !e.OK {
			return fmt.Sprintf("control failed: %s could not %s its own %s: %s", e.Actor, e.Verb, e.Resource, e.outcome())
		}
		if e.Phase == reachPhase && !showsOwn(s, h, e) {
			return fmt.Sprintf("control failed: %s got an answer to %s %s that shows nothing of its own", e.Actor, e.Verb, e.Resource)
		}
	}
	if count == 0 {
		return "no control was possible: nobody could show that the owner succeeds"
	}
	return ""
}

// premise tells whether a history can support "held"; it returns the reason why it cannot, or "".
func premise(h *History, r *reading) string {
	if h.Crash != "" {
		return h.Crash
	}
	if reason := controls(h, r.scanner); reason != "" {
		return reason
	}
	if reason := clouded(h, r); reason != "" {
		return reason
	}
	attacks, wrote, looked := 0, false, false
	for _, e := range h.Exchanges {
		switch e.Purpose {
		case Attack:
			wrote = wrote || e.Verb != Read && e.Verb != List && e.Verb != Search
			if e.Err != "" {
				return "the attack got no answer: " + e.Err
			}
			if e.Response.limited() && !h.Limits {
				return "a limiter answered instead of the wall (429)"
			}
			if e.Response.absent() {
				return fmt.Sprintf("the attack was answered %d: the wall was not there to be seen", e.Response.Status)
			}
			attacks++
		case Check:
			looked = looked || e.Phase == "before" && e.Object != ""
			if e.Phase == "before" && !e.OK {
				return fmt.Sprintf("%s could not read its own %s before the attack: %s", e.Actor, e.Resource, e.outcome())
			}
			if e.Phase == "before" && e.Verb == List && !showsOwn(r.scanner, h, e) {
				return fmt.Sprintf("%s cannot read back its own %s: its list does not show it", e.Actor, kindOf(e.Object))
			}
			if e.Phase == "again" && unjudgeable(e) {
				return fmt.Sprintf("the victim's %s could not be read after the attack: %s", e.Resource, e.outcome())
			}
		}
	}
	switch {
	case attacks == 0:
		return "the attack sent nothing"
	case wrote && !looked && !h.Ends:
		return "the victim's state cannot be read, so it cannot be told what the attack wrote"
	}
	if reason := unseen(h, r.scanner); reason != "" {
		return reason
	}
	return unproven(h, r.scanner)
}

// clouded returns why it cannot be told what an attack added to what is to be seen without it, or "".
func clouded(h *History, r *reading) string {
	plain, wrote := false, false
	for i, e := range h.Exchanges {
		leaks := r.leaks[i]
		plain = plain || e.Purpose == Plain && len(leaks) > 0
		if e.Purpose == Control && len(leaks) > 0 && !r.proves(e, leaks[0]) {
			plain = true
		}
		wrote = wrote || e.Purpose == Attack && e.OK && e.Verb.writes()
	}
	switch {
	case plain:
		return "a plain request shows others' objects already, so it cannot be told what the attack adds; see the idor scenarios"
	case r.leaky && wrote:
		return "the victim's list shows others' objects already, so it cannot be told whether the attack added one; see idor/list"
	default:
		return ""
	}
}

// showsOwn tells whether an answer holds a token of its actor, or of the object it is about, that its request did
// not hold: an echo is no proof of anything.
func showsOwn(s *scanner, h *History, e *Exchange) bool {
	sent, got := hits{}, hits{}
	s.scan([]byte(e.Request.URL), sent)
	s.scan(e.Request.Body, sent)
	s.scan(e.Response.Body, got)
	s.scanHeader(e.Response.Header, got)
	for i := range got {
		_, echoed := sent[i]
		t := h.Tokens[i]
		if !echoed && t.Owner == e.Tenant && (e.Object == "" || t.Object == e.Object) {
			return true
		}
	}
	return false
}

// JudgeHistory gives the verdict of one cell from its record alone: every judge runs, a finding is a breach whatever
// else failed, and only a record whose premises are met holds.
func JudgeHistory(h *History, extra Judge) (verdict Verdict, reason string, findings []Finding) {
	r := newReading(h)
	judges := []Judge{judgeState, func(h *History) ([]Finding, error) { return judgeCanaries(h, r) }}
	if h.Twin {
		judges = append(judges, judgeTwin)
	}
	if extra != nil {
		judges = append(judges, extra)
	}
	for _, judge := range judges {
		found, err := safely(judge, h)
		if err != nil && reason == "" {
			reason = err.Error()
		}
		findings = append(findings, found...)
	}
	for i := range findings {
		findings[i].complete(h)
	}
	if len(findings) > 0 {
		return Breached, findings[0].Summary, findings
	}
	if reason == "" {
		reason = premise(h, r)
	}
	if reason != "" {
		return Inconclusive, reason, nil
	}
	return Held, "", nil
}

func safely(judge Judge, h *History) (found []Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a judge panicked: %v", p)
		}
	}()
	return judge(h)
}
