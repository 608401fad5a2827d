package scenarios

import (
	"testing"

	"github.com/partywall/partywall/harness"
)

// TestSurvival: who can read its own no more has lost it, unless it never could, or nobody can.
func TestSurvival(t *testing.T) {
	check := func(ok bool) *harness.Exchange {
		return &harness.Exchange{Purpose: harness.Check, Tenant: "b-capitals", OK: ok}
	}
	own := func(status int) *harness.Exchange {
		return &harness.Exchange{Purpose: harness.Setup, Tenant: "b-capitals", Label: stillThere, OK: status == 200, Response: harness.Response{Status: status}}
	}
	other := func(ok bool) *harness.Exchange {
		return &harness.Exchange{Purpose: harness.Control, Tenant: "a", OK: ok}
	}
	dropped := own(0)
	dropped.Err = "no answer"
	for name, tc := range map[string]struct {
		exchanges []*harness.Exchange
		lost      int
	}{
		"it is there":              {[]*harness.Exchange{check(true), own(200), other(true), own(200), other(true)}, 0},
		"it is gone":               {[]*harness.Exchange{check(true), own(404), other(true), own(404), other(true)}, 1},
		"its schema is gone":       {[]*harness.Exchange{check(true), own(500), other(true), own(500), other(true)}, 1},
		"its login is gone":        {[]*harness.Exchange{check(true), own(401), other(true), own(401), other(true)}, 1},
		"it comes back":            {[]*harness.Exchange{check(true), own(500), other(true), own(200), other(true)}, 0},
		"it was never there":       {[]*harness.Exchange{check(false), own(500), other(true), own(500), other(true)}, 0},
		"the service is in ruins":  {[]*harness.Exchange{check(true), own(500), other(true), own(500), other(false)}, 0},
		"too many came":            {[]*harness.Exchange{check(true), own(429), other(true), own(429), other(true)}, 0},
		"there was no answer":      {[]*harness.Exchange{check(true), dropped, other(true), dropped, other(true)}, 0},
		"one answer was a failure": {[]*harness.Exchange{check(true), dropped, other(true), own(500), other(true)}, 0},
	} {
		for i, e := range tc.exchanges {
			e.ID = string(rune('0' + i))
		}
		found, err := judgeSurvival(&harness.History{Cell: harness.Cell{Attacker: "a", Victim: "b"}, Exchanges: tc.exchanges})
		if err != nil || len(found) != tc.lost {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}
