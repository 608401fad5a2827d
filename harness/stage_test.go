package harness_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/partywall/partywall/harness"
)

// TestFront: what is decided on the way in is asked of one pair, and of nobody once, on each resource.
func TestFront(t *testing.T) {
	server := httptest.NewServer(&notes{rows: map[string][2]string{}})
	defer server.Close()
	for front, want := range map[bool]int{false: 9, true: 2} { // six pairs and three victims of nobody
		s := swap(harness.Read)
		s.Front, s.Anonymous = front, true
		report, err := harness.Run(t.Context(), harness.Config{Target: &target{url: server.URL}, Scenarios: []harness.Scenario{s}})
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Results[0]; got.Cells != want || got.Verdict != harness.Held {
			t.Errorf("front %v: %s in %d cells, want %d", front, got.Verdict, got.Cells, want)
		}
	}
}

// TestAlone: while a cell is alone on the stage, nothing is sent by any other. Others play side by side.
func TestAlone(t *testing.T) {
	server := httptest.NewServer(&notes{rows: map[string][2]string{}})
	defer server.Close()
	type span struct {
		alone      bool
		begin, end time.Duration
	}
	var spans []span
	first, second, alone := swap(harness.Read), swap(harness.Delete), swap(harness.Read)
	alone.ID, alone.Alone = "oracle/alone", true
	act := alone.Attack
	alone.Attack = func(ctx context.Context, w *harness.World) error {
		for range 50 { // long enough to be met
			if err := act(ctx, w); err != nil {
				return err
			}
		}
		return nil
	}
	_, err := harness.Run(t.Context(), harness.Config{
		Target: &target{url: server.URL}, Scenarios: []harness.Scenario{first, alone, second}, Lanes: 3,
		Keep: func(h *harness.History, v harness.Verdict) error {
			if v == "" {
				return nil // what was sent outside of cells
			}
			last := h.Exchanges[len(h.Exchanges)-1]
			spans = append(spans, span{h.Cell.Scenario == alone.ID, h.Exchanges[0].Begin, last.Begin + last.Took})
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	met := 0
	for i, a := range spans {
		for _, b := range spans[i+1:] {
			if a.begin < b.end && b.begin < a.end {
				if met++; a.alone || b.alone {
					t.Errorf("%+v and %+v are played at once", a, b)
				}
			}
		}
	}
	if met == 0 || len(spans) != 18 {
		t.Errorf("of %d cells %d were played at once", len(spans), met)
	}
}
