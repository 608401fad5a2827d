package scenarios_test

import (
	"fmt"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/scenarios"
)

// TestActivity: a number tells of another tenant when it moves alike in quiet times, and further in all busy ones. Clocks, numbers drawn by
// chance, and what moves by the attacker's own doing tell nothing.
func TestActivity(t *testing.T) {
	chosen, err := scenarios.Select("oracle/activity")
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		numbers []int // a look, then after a quiet and a busy time in turns
		tells   bool
	}{
		"the own count":              {[]int{1, 2, 3, 4, 5, 6, 7}, false},
		"one that stands still":      {[]int{5, 5, 5, 5, 5, 5, 5}, false},
		"everybody's count":          {[]int{1, 2, 6, 7, 11, 12, 16}, true},
		"everybody's, others busy":   {[]int{1, 2, 6, 7, 13, 14, 21}, true},
		"a clock in milliseconds":    {[]int{1000, 1013, 1080, 1094, 1170, 1181, 1260}, false},
		"a clock in seconds":         {[]int{7, 7, 7, 7, 8, 8, 8}, false},
		"drawn by chance":            {[]int{400, 17, 903, 222, 610, 5, 77}, false},
		"once by somebody else":      {[]int{1, 2, 6, 7, 8, 9, 10}, false},
		"a look that failed is none": {[]int{1, 2, 6, 7, 11, 12}, false},
	} {
		h := &harness.History{}
		for i, n := range try.numbers {
			h.Exchanges = append(h.Exchanges, &harness.Exchange{
				ID: fmt.Sprint(i), Purpose: harness.Attack, Label: "the own list", OK: true,
				Response: harness.Response{Status: 200, Body: harness.Bytes(fmt.Sprintf(`{"items":[{"n":%d}],"page":{"total":%d}}`, i*i, n))},
			})
		}
		found, err := chosen[0].Judge(h)
		if err != nil || (len(found) > 0) != try.tells {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}
