package reference

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/partywall/partywall/harness"
	service "github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/scenarios"
)

// TestPresignedVerdicts: the claim holds, is breached where keys are taken from clients, and is left open where owners are given no URL
// that opens anything.
func TestPresignedVerdicts(t *testing.T) {
	refusing := func(p *service.Parts) {
		p.API.Linked.Presign = func(context.Context, string, time.Duration) (string, error) { return "", errors.New("away") }
	}
	for name, tc := range map[string]struct {
		target string
		plant  []func(*service.Parts)
		want   harness.Verdict
	}{
		"clean":        {"reference:row", nil, harness.Held},
		"two of it":    {"reference:row@2", nil, harness.Held},
		"by key":       {"reference:row+presign-without-tenant", nil, harness.Breached},
		"without URLs": {"reference:row", []func(*service.Parts){refusing}, harness.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, err := scenarios.Select("storage/presigned-tampering")
			if err != nil {
				t.Fatal(err)
			}
			o, _, err := Parse(tc.target)
			if err != nil {
				t.Fatal(err)
			}
			o.Plant = append(o.Plant, tc.plant...)
			target, err := Open(t.Context(), backingtest.Engine(t), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := target.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: chosen, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Results) != 1 || report.Results[0].Verdict != tc.want {
				t.Errorf("%+v", report.Results)
			}
		})
	}
}
