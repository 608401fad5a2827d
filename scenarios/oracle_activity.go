package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/partywall/partywall/harness"
)

// Rounds of the attack. Between two of them the victim is quiet or busy in turns, and this often each.
const (
	quietAndBusy = 3
	busyness     = 3 // objects that the victim makes while it is busy
)

func oracleActivity() harness.Scenario {
	return harness.Scenario{
		ID:    "oracle/activity",
		Claim: "the numbers that a tenant sees do not tell how busy another is",
		Why: "A sequence that all tenants share numbers their invoices, and a count without a filter stands above their lists. Who writes one a day knows " +
			"what the competitor sells.",
		Fix: "Count and number within a tenant: by a row of its own that the statement raises, never by a sequence of the database.",
		Refs: harness.Refs{
			CheatSheet: []string{"Cross-Tenant Data Leakage", "Avoid exposing sequential or guessable IDs."},
			CWE:        []int{200, 203, 340}, OWASP: []string{"API1", "API3"}, Techniques: []string{"26", "30"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Create}},
		Alone: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			if _, lists := w.Call(harness.List, w.Mine()); !lists && w.Resource().Chosen != "" {
				return harness.Skip("%s have no list, and clients choose their ids: there are no numbers to see", w.Resource().Name)
			}
			look := func() {
				if c, ok := w.Overwrite(harness.Create, w.Mine()); ok && w.Resource().Chosen == "" {
					c.Label = "an own object"
					w.Attack(ctx, c)
				}
				if c, ok := w.Call(harness.List, w.Mine()); ok {
					c.Label = "the own list"
					w.Attack(ctx, c)
				}
			}
			look()
			for range quietAndBusy {
				look() // nothing has happened
				for range busyness {
					if _, err := w.Create(ctx, w.Victim(), w.Resource()); err != nil {
						return err
					}
				}
				look()
			}
			return nil
		},
		Judge: judgeActivity,
	}
}

// judgeActivity wants each number to move as far while the victim is busy as while it is quiet. A number that does not move alike in all
// quiet times moves by itself, and tells nothing.
func judgeActivity(h *harness.History) (findings []harness.Finding, err error) {
	series := map[string][]*harness.Exchange{}
	for _, e := range h.Exchanges {
		if e.Purpose == harness.Attack && e.OK {
			series[e.Label] = append(series[e.Label], e)
		}
	}
	for _, label := range slices.Sorted(maps.Keys(series)) {
		rounds := series[label]
		if len(rounds) != 1+2*quietAndBusy {
			continue
		}
		var seen []map[string]*big.Int
		for _, e := range rounds {
			seen = append(seen, numbers(e))
		}
		for _, pointer := range slices.Sorted(maps.Keys(seen[0])) {
			quiet, busy, ok := moves(seen, pointer)
			if ok && tells(quiet, busy) {
				findings = append(findings, harness.Finding{
					Summary: fmt.Sprintf("%s in %s moves by %s while another tenant is quiet, and by %s, %s and %s while it makes %d objects",
						pointer, label, quiet[0], busy[0], busy[1], busy[2], busyness),
					Attacker: h.Cell.Attacker, Victim: h.Cell.Victim, Channel: "count", Evidence: []string{rounds[0].ID, rounds[1].ID, rounds[2].ID},
				})
			}
		}
	}
	return findings, nil
}

// moves are by how much a number changes from round to round, in quiet and in busy times.
func moves(seen []map[string]*big.Int, pointer string) (quiet, busy []*big.Int, ok bool) {
	var before *big.Int
	for i, round := range seen {
		n, there := round[pointer]
		if !there {
			return nil, nil, false
		}
		switch {
		case i == 0:
		case i%2 == 1:
			quiet = append(quiet, new(big.Int).Sub(n, before))
		default:
			busy = append(busy, new(big.Int).Sub(n, before))
		}
		before = n
	}
	return quiet, busy, true
}

func tells(quiet, busy []*big.Int) bool {
	for _, n := range quiet {
		if n.Cmp(quiet[0]) != 0 {
			return false
		}
	}
	return !slices.ContainsFunc(busy, func(n *big.Int) bool { return n.Cmp(quiet[0]) <= 0 })
}

// numbers are the whole numbers of an answer, by where they stand. Those within lists are left out: what stands there changes.
func numbers(e *harness.Exchange) map[string]*big.Int {
	out := map[string]*big.Int{}
	var walk func(pointer string, value any)
	walk = func(pointer string, value any) {
		switch value := value.(type) {
		case json.Number:
			if n, ok := new(big.Int).SetString(value.String(), 10); ok {
				out[pointer] = n
			}
		case map[string]any:
			for name, member := range value {
				walk(pointer+"/"+name, member)
			}
		}
	}
	var answer any
	if decode(e.Response.Body, &answer) == nil {
		walk("", answer)
	}
	return out
}
