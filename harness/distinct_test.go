package harness_test

import (
	"context"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
)

// twins is a target that gives the same id or the same credential for two tenants.
type twins struct {
	*oddTarget
	given []harness.Tenant
}

func (o *twins) Provision(context.Context, string) (harness.Tenant, error) {
	if len(o.given) == 0 {
		return harness.Tenant{}, harness.ErrNoTenant
	}
	t := o.given[0]
	o.given = o.given[1:]
	t.Borrowed = true
	return t, nil
}

// TestOneTenantTwice: two names for one tenant are no neighbours, so nothing is accused and nothing holds.
func TestOneTenantTwice(t *testing.T) {
	tenant := func(id string, c harness.Credential) harness.Tenant {
		return harness.Tenant{ID: id, Name: id, Principals: []harness.Principal{{Name: "alice", Credential: c}}}
	}
	for name, tc := range map[string]struct {
		given  []harness.Tenant
		want   harness.Verdict
		reason string
	}{
		"two tenants":       {[]harness.Tenant{tenant("1", harness.Bearer("x")), tenant("2", harness.Bearer("y"))}, harness.Held, ""},
		"the same id":       {[]harness.Tenant{tenant("1", harness.Bearer("x")), tenant("1", harness.Bearer("y"))}, harness.Inconclusive, "the same id"},
		"the same token":    {[]harness.Tenant{tenant("1", harness.Bearer("x")), tenant("2", harness.Bearer("x"))}, harness.Inconclusive, "the same credential"},
		"the third of them": {[]harness.Tenant{tenant("1", harness.Bearer("x")), tenant("2", harness.Bearer("y")), tenant("3", harness.Bearer("y"))}, harness.Inconclusive, "alice of b (2) and alice of c (3)"},
	} {
		t.Run(name, func(t *testing.T) {
			target := &twins{odd(t, false, nil, harness.Create, harness.Read, harness.List, harness.Update, harness.Delete), tc.given}
			report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: []harness.Scenario{swap(harness.Read), swap(harness.Delete), overwrite()}})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range report.Results {
				if r.Verdict != tc.want || !strings.Contains(r.Reason, tc.reason) {
					t.Errorf("%s is %s (%s), want %s (%s)", r.Scenario, r.Verdict, r.Reason, tc.want, tc.reason)
				}
			}
		})
	}
}
