package harness_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/partywall/partywall/harness"
)

// guest is a target whose tenants may be borrowed, or mortal.
type guest struct {
	*oddTarget
	borrowed bool
}

func (g guest) Provision(ctx context.Context, name string) (harness.Tenant, error) {
	t, err := g.oddTarget.Provision(ctx, name)
	t.Borrowed = g.borrowed
	return t, err
}

// mortal deletes tenants, or fails to.
type mortal struct {
	guest
	err error
}

func (m mortal) Delete(context.Context, harness.Tenant) error { return m.err }

// TestLeftovers: what could not be removed is reported with its id; what went with its tenant, or is gone, is not.
func TestLeftovers(t *testing.T) {
	refuse := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	crud := []harness.Verb{harness.Create, harness.Read, harness.List, harness.Update, harness.Delete}
	for name, tc := range map[string]struct {
		target  harness.Target
		tenants int
		objects int // at least
		reason  string
	}{
		"borrowed, all removed":         {guest{odd(t, false, nil, crud...), true}, 0, 0, ""},
		"borrowed, deletes refused":     {guest{odd(t, false, refuse, crud...), true}, 0, 9, "status 403 is no success here"},
		"borrowed, nothing deletes":     {guest{odd(t, false, nil, harness.Create, harness.Read), true}, 0, 9, "the target describes no way to delete it"},
		"made, and cannot be deleted":   {guest{odd(t, false, nil, crud...), false}, 3, 0, "the target describes no way to delete it"},
		"made, and will not go":         {mortal{guest{odd(t, false, nil, crud...), false}, errors.New("no such luck")}, 3, 0, "no such luck"},
		"made, and gone with all":       {mortal{guest{odd(t, false, refuse, crud...), false}, nil}, 0, 0, ""},
		"made, broken, and gone":        {mortal{guest{odd(t, true, nil, crud...), false}, nil}, 0, 0, ""},
		"borrowed, an attack destroyed": {guest{odd(t, true, nil, crud...), true}, 0, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := harness.Run(t.Context(), harness.Config{
				Target: tc.target, Scenarios: []harness.Scenario{swap(harness.Read), swap(harness.Delete), overwrite()}, Lanes: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			tenants, objects := 0, 0
			for _, l := range report.Left {
				if l.Tenant == "" || l.Reason != tc.reason {
					t.Errorf("%+v, want the reason %q", l, tc.reason)
				}
				if l.Resource == "" {
					tenants++
				} else if objects++; l.ID == "" {
					t.Errorf("%+v has no id", l)
				}
			}
			if tenants != tc.tenants || objects < tc.objects || tc.objects == 0 && objects > 0 {
				t.Errorf("%d tenants and %d objects are left, want %d and %d: %+v", tenants, objects, tc.tenants, tc.objects, report.Left)
			}
		})
	}
}
