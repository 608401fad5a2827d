package scenarios

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/partywall/partywall/harness"
)

func idorWalk() harness.Scenario {
	return harness.Scenario{
		ID:    "idor/walk",
		Claim: "neighbouring and guessable ids lead nowhere",
		Why: "Sequential ids turn one missing check into a copy of the database. Old routes often still take the number that the " +
			"random id was to replace.",
		Fix: "Use random ids, and check the owner as if they were not.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Avoid exposing sequential or guessable IDs.",
				"Expose sequential or guessable tenant/resource IDs.",
				"Insecure Direct Object References (IDOR)",
			},
			CWE: []int{639, 340}, OWASP: []string{"API1"}, Techniques: []string{"1", "26", "59"},
		},
		Needs:     harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Read}},
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			c, ok := w.Call(harness.Read, w.Theirs())
			if !ok {
				return nil
			}
			for _, id := range guesses(w) {
				c.Values["id"], c.Label = id, "guessed id "+id
				w.Attack(ctx, c)
			}
			return nil
		},
	}
}

// guesses are ids that somebody without knowledge would try: small numbers, usual words, the names of the victim, and
// the neighbours of an id of one's own.
func guesses(w *harness.World) []string {
	tenantID, tenantName := w.VictimTenant()
	out := []string{"0", "-1", "me", "self", "default", "latest", "admin", "all", "*", tenantID, tenantName}
	for n := 1; n <= 30; n++ {
		out = append(out, strconv.Itoa(n))
	}
	own := w.Mine()
	if own == nil || own.Resource.Chosen != "" {
		return out
	}
	for step := int64(1); step <= 6; step++ {
		for _, by := range []int64{step, -step} {
			if id := neighbour(own.ID, by); id != "" {
				out = append(out, id)
			}
		}
	}
	return out
}

// neighbour counts an id up or down: as a number, in the trailing hexadecimal digits that time-based ids end in, or in the number
// behind a word, as in note-7 or INV-0042.
func neighbour(id string, by int64) string {
	const decimal, hexadecimal = "0123456789", "0123456789abcdef"
	head, base, format := strings.TrimRight(id, decimal), 10, "%0*d"
	if hexHead := strings.TrimRight(id, hexadecimal); len(hexHead) < len(head) && len(id)-len(hexHead) >= 4 {
		head, base, format = hexHead, 16, "%0*x"
	}
	digits := id[len(head):]
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || n.Add(n, big.NewInt(by)).Sign() < 0 && head != "" {
		return ""
	}
	width := 0
	if head != "" || strings.HasPrefix(digits, "0") {
		width = len(digits)
	}
	return head + fmt.Sprintf(format, width, n)
}
