package scenarios

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/partywall/partywall/harness"
)

// trailBefore and trailAfter label the looks that are held against each other.
const (
	trailBefore = "the trail, before somebody tampers with it"
	trailAfter  = "the trail, afterwards"
)

var errNoTrail = errors.New("the trail shows no entry of what was done, so it cannot be told whether one could be taken away")

func auditAppendOnly() harness.Scenario {
	return harness.Scenario{
		ID:    "audit/append-only",
		Claim: "what stands in the trail is changed and removed by nobody, its own tenant included",
		Why: "Who has broken in removes the traces next. A trail that a tenant's own administrator can tidy up proves nothing to anybody who was " +
			"harmed.",
		Fix: "Give the application the right to add entries and no other, chain them by digests, and offer no route that changes or deletes one.",
		Refs: harness.Refs{
			CheatSheet: []string{"Implement tenant-isolated audit trails.", "Audit & Compliance Gaps"},
			CWE:        []int{778, 117, 471}, OWASP: []string{"API5"}, Techniques: []string{"31"},
		},
		Needs: harness.Needs{Trail: true, Verbs: []harness.Verb{harness.List}},
		Once:  true,
		Attack: func(ctx context.Context, w *harness.World) error {
			owner := w.Actor(w.Victim())
			list, ok := w.CallFor(owner, harness.List, nil)
			if !ok {
				return errNoTrail
			}
			list.Label = trailBefore
			before := entries(w.Control(ctx, owner, list))
			if len(before) == 0 {
				return errNoTrail
			}
			for _, who := range []harness.Actor{owner, w.Attacker()} {
				for _, target := range []string{before[0].id, before[len(before)-1].id, ""} {
					tamper(ctx, w, who, list, target)
				}
			}
			list.Label = trailAfter
			w.Control(ctx, owner, list)
			return nil
		},
		Judge: judgeTrail,
	}
}

// tamper tries to change and to remove an entry, or all of them.
func tamper(ctx context.Context, w *harness.World, who harness.Actor, list harness.Call, id string) {
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		op := *list.Op
		op.Method, op.Query, op.Path = method, nil, list.Op.Path
		if id != "" {
			op.Path += "/" + url.PathEscape(id)
		}
		if method != "DELETE" {
			op.Body = harness.Body{Kind: "json", Value: map[string]any{"actor": "nobody", "action": "nothing", "outcome": "done"}}
		}
		c := list
		c.Op, c.Label = &op, method+" of an entry"
		if id == "" {
			c.Label = method + " of the whole trail"
		}
		w.AttackAs(ctx, who, c)
		over := list
		over.Header, over.Label = http.Header{"X-Http-Method-Override": {method}}, "read as "+method
		w.AttackAs(ctx, who, over)
	}
}

// judgeTrail wants each entry that stood there before to stand there still, as it was.
func judgeTrail(h *harness.History) ([]harness.Finding, error) {
	var before, after *harness.Exchange
	for _, e := range h.Exchanges {
		switch e.Label {
		case trailBefore:
			before = e
		case trailAfter:
			after = e
		}
	}
	if before == nil || after == nil || !before.OK || !after.OK {
		return nil, errNoTrail
	}
	stands := map[string]bool{}
	for _, x := range entries(after) {
		stands[x.text] = true
	}
	gone := 0
	for _, x := range entries(before) {
		if !stands[x.text] {
			gone++
		}
	}
	if gone == 0 {
		return nil, nil
	}
	var evidence []string
	for _, e := range h.Exchanges {
		if e.Purpose == harness.Attack && e.Response.Status/100 == 2 && len(entries(e)) == 0 && len(evidence) < 2 { // it was no read
			evidence = append(evidence, e.ID)
		}
	}
	return []harness.Finding{{
		Summary:  fmt.Sprintf("%d of %d entries of a trail are not there any more, or not as they were", gone, len(entries(before))),
		Attacker: h.Cell.Attacker, Victim: h.Cell.Victim, Channel: "trail", Evidence: append(evidence, before.ID, after.ID),
	}}, nil
}
