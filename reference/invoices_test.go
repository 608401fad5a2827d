package reference_test

import (
	"testing"
)

// TestInvoices: numbers count a tenant's own invoices from one and without gaps, and sums are over those alone, whatever its
// neighbour has.
func TestInvoices(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		_, a := s.admit("acme")
		_, b := s.admit("globex")
		_, c := s.admit("initech")
		number := map[string]float64{}
		for _, sold := range []struct {
			token string
			cents int
		}{{a, 100}, {b, 5000}, {a, 20}, {b, 70_000}, {a, 3}} {
			number[sold.token]++
			got := s.want(201, sold.token, "POST", "/v1/invoices", map[string]any{"customer": "x", "amount_cents": sold.cents})
			if got["number"] != number[sold.token] {
				t.Errorf("the number is %v, want %v", got["number"], number[sold.token])
			}
		}
		for token, want := range map[string][2]float64{a: {3, 123}, b: {2, 75_000}, c: {0, 0}} {
			got := s.want(200, token, "GET", "/v1/invoices/totals", nil)
			if got["count"] != want[0] || got["amount_cents"] != want[1] || len(got) != 2 {
				t.Errorf("the totals are %v, want %v", got, want)
			}
		}
	})
}
