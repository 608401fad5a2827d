package harness

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// judgeCanaries finds tokens that reached somebody who neither owns them nor was given them.
//
// Knowledge is taken from the record: what a tenant was handed, and what it sent itself in any form, earlier or in the
// same request, proves nothing when it comes back.
func judgeCanaries(h *History) ([]Finding, error) {
	s := newScanner(h.Tokens)
	index := map[string]int{}
	for i, t := range h.Tokens {
		index[t.Value] = i
	}
	known := map[string]hits{}
	knows := func(tenant string) hits {
		if known[tenant] == nil {
			known[tenant] = hits{}
		}
		return known[tenant]
	}
	for _, g := range h.Given {
		if i, ok := index[g.Value]; ok {
			knows(g.Tenant)[i] = "given"
		}
	}
	var findings []Finding
	reported := map[string]bool{}
	for _, e := range h.Exchanges {
		s.scan([]byte(e.Request.URL), knows(e.Tenant))
		s.scanHeader(e.Request.Header, knows(e.Tenant))
		s.scan(e.Request.Body, knows(e.Tenant))
		body, header := hits{}, hits{}
		s.scan(e.Response.Body, body)
		s.scanHeader(e.Response.Header, header)
		for _, value := range e.Response.Beyond {
			body[index[value]] = "plain"
		}
		for _, found := range []struct {
			channel string
			hits    hits
		}{{"body", body}, {"header", header}} {
			for i := range h.Tokens {
				how, leaked := found.hits[i]
				t := h.Tokens[i]
				if _, given := knows(e.Tenant)[i]; !leaked || given || t.Owner == e.Tenant {
					continue
				}
				f := h.flow(e, t, found.channel, how)
				if key := f.Attacker + f.Victim + f.Channel + string(e.Purpose) + string(e.Verb); !reported[key] {
					reported[key] = true
					findings = append(findings, f)
				}
			}
		}
	}
	return findings, nil
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
		f.Evidence = append(h.attackIDs(), e.ID)
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
func premise(h *History) string {
	if h.Crash != "" {
		return h.Crash
	}
	if reason := controls(h, newScanner(h.Tokens)); reason != "" {
		return reason
	}
	attacks := 0
	for _, e := range h.Exchanges {
		switch e.Purpose {
		case Attack:
			if e.Err != "" {
				return "the attack got no answer: " + e.Err
			}
			if e.Response.limited() {
				return "a limiter answered instead of the wall (429)"
			}
			attacks++
		case Check:
			if e.Phase == "before" && !e.OK {
				return fmt.Sprintf("%s could not read its own %s before the attack: %s", e.Actor, e.Resource, e.outcome())
			}
			if e.Phase == "again" && unjudgeable(e) {
				return fmt.Sprintf("the victim's %s could not be read after the attack: %s", e.Resource, e.outcome())
			}
		}
	}
	if attacks == 0 {
		return "the attack sent nothing"
	}
	return ""
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
	judges := []Judge{judgeState, judgeCanaries}
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
		reason = premise(h)
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

// complete adds what people need to repeat a finding.
func (f *Finding) complete(h *History) {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(strings.Join([]string{h.Cell.Scenario, h.Cell.Resource, string(f.verb), f.Channel}, "\x00")))
	f.Fingerprint = fmt.Sprintf("%016x", hash.Sum64())
	for _, e := range h.Exchanges {
		if slices.Contains(f.Evidence, e.ID) {
			f.Curl = append(f.Curl, e.Curl())
		}
	}
}

// Curl is the exchange's request as a command line. Credentials are placeholders.
func (e *Exchange) Curl() string {
	var b strings.Builder
	b.WriteString("curl --path-as-is -X " + e.Request.Method)
	for _, name := range sortedKeys(e.Request.Header) {
		for _, value := range e.Request.Header[name] {
			b.WriteString(" -H " + quote(name+": "+value))
		}
	}
	if len(e.Request.Body) > 0 {
		b.WriteString(" --data-binary " + quote(string(e.Request.Body)))
	}
	b.WriteString(" " + quote(e.Request.URL))
	return b.String()
}

// quote quotes for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
