package harness

// Verdict is the answer to a claim.
type Verdict string

// The verdicts. The zero value is none of them.
const (
	Held         Verdict = "held"
	Breached     Verdict = "breached"
	Inconclusive Verdict = "inconclusive" // it could not be seen: a premise failed, or the attack never arrived
	Skipped      Verdict = "skipped"      // not applicable, not permitted or not asked for
)

// worst orders verdicts: the worst cell wins.
var worst = map[Verdict]int{Skipped: 1, Held: 2, Inconclusive: 3, Breached: 4}

// Worse returns the worse of two verdicts: breached, inconclusive, held, skipped.
func (v Verdict) Worse(w Verdict) Verdict {
	if worst[w] > worst[v] {
		return w
	}
	return v
}
