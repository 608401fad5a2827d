package harness_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/partywall/partywall/harness"
)

// BenchmarkRecordedExchange compares requests through the door, recorded and redacted, with the same requests sent by a
// plain client over the same transport. The service answers at once, so that this is the worst case. Rounds of both
// alternate; the ratio is the median over the rounds.
func BenchmarkRecordedExchange(b *testing.B) {
	const rounds, requests = 25, 400
	server := httptest.NewServer(&notes{rows: map[string][2]string{}})
	defer server.Close()
	var recorded, plain, ratios []float64
	scenario := harness.Scenario{ID: "bench/exchange", Claim: "exchanges are recorded", Attack: func(ctx context.Context, w *harness.World) error {
		c, _ := w.Call(harness.Read, w.Mine())
		for range rounds {
			start := time.Now()
			for range requests {
				w.Attack(ctx, c)
			}
			through := time.Since(start)
			start = time.Now()
			for range requests {
				if err := get(ctx, server.URL+"/notes/"+w.Mine().ID); err != nil {
					return err
				}
			}
			beside := time.Since(start)
			recorded = append(recorded, requests/through.Seconds())
			plain = append(plain, requests/beside.Seconds())
			ratios = append(ratios, beside.Seconds()/through.Seconds())
		}
		return nil
	}}
	for b.Loop() {
		if _, err := harness.Run(b.Context(), harness.Config{
			Target: &target{url: server.URL}, Scenarios: []harness.Scenario{scenario}, Lanes: 1, Cells: []string{"bench/exchange/notes/a-b"},
		}); err != nil {
			b.Fatal(err)
		}
	}
	if len(ratios) == 0 {
		b.Fatal("nothing was measured")
	}
	b.ReportMetric(median(recorded), "recorded/s")
	b.ReportMetric(median(plain), "plain/s")
	b.ReportMetric(median(ratios), "ratio")
}

func get(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer secret-token-1")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
