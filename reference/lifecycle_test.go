package reference_test

import (
	"context"
	"errors"
	"testing"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// stands asks for the state of a tenant.
func (s *service) stands(id string) string {
	s.t.Helper()
	return text(s.want(200, s.parts.API.OperatorKey, "GET", "/admin/tenants/"+id, nil), "status")
}

// TestStates: each step of a tenant's life leads from where it may and is refused elsewhere, and a closed tenant is not served.
func TestStates(t *testing.T) {
	s := start(t, "row")
	id, token := s.admit("acme")
	operator, at := s.parts.API.OperatorKey, "/admin/tenants/"+id
	for _, step := range []struct {
		method, path string
		status       int
		then         string
		served       int
	}{
		{"POST", at + "/resume", 409, "ACTIVE", 200},
		{"POST", at + "/suspend", 204, "SUSPENDED", 403},
		{"POST", at + "/suspend", 204, "SUSPENDED", 403},
		{"POST", at + "/resume", 204, "ACTIVE", 200},
		{"POST", at + "/suspend", 204, "SUSPENDED", 403},
		{"DELETE", at, 204, "DELETED", 403},
		{"POST", at + "/resume", 404, "DELETED", 403},
		{"POST", at + "/suspend", 404, "DELETED", 403},
		{"DELETE", at, 404, "DELETED", 403},
	} {
		s.want(step.status, operator, step.method, step.path, nil)
		if now := s.stands(id); now != step.then {
			t.Fatalf("after %s %s it is %s", step.method, step.path, now)
		}
		s.want(step.served, token, "GET", "/v1/whoami", nil)
	}
	s.want(404, operator, "PUT", at+"/tier", map[string]string{"tier": "free"})
	for _, bad := range []string{string(tenant.New()), "x", "%00"} {
		s.want(404, operator, "GET", "/admin/tenants/"+bad, nil)
		s.want(404, operator, "POST", "/admin/tenants/"+bad+"/suspend", nil)
		s.want(404, operator, "POST", "/admin/tenants/"+bad+"/resume", nil)
	}
}

// TestSuspendedMove: a suspended tenant that changes its tier stays suspended, also when the change breaks off and is repeated; an open
// one is closed meanwhile, and open again after it.
func TestSuspendedMove(t *testing.T) {
	s := start(t, "row")
	operator, life := s.parts.API.OperatorKey, s.parts.API.Lifecycle
	for _, suspended := range []bool{true, false} {
		slug, rest, served := "open", "ACTIVE", 200
		if suspended {
			slug, rest, served = "suspended", "SUSPENDED", 403
		}
		id, token := s.admit(slug)
		at := "/admin/tenants/" + id
		if suspended {
			s.want(204, operator, "POST", at+"/suspend", nil)
		}
		life.Move = func(context.Context, tenant.ID, string) error {
			s.want(403, token, "GET", "/v1/whoami", nil)
			return errors.New("broken off")
		}
		s.want(500, operator, "PUT", at+"/tier", map[string]string{"tier": "free"})
		s.want(403, token, "GET", "/v1/whoami", nil)
		if got := s.want(200, operator, "GET", at, nil); got["status"] != rest || got["moving_to"] != "free" || got["tier"] != "test" {
			t.Errorf("broken off, it is %v", got)
		}
		life.Move = nil
		s.want(204, operator, "PUT", at+"/tier", map[string]string{"tier": "test"})
		if got := s.want(200, operator, "GET", at, nil); got["status"] != rest || got["moving_to"] != "" {
			t.Errorf("moved, it is %v", got)
		}
		s.want(served, token, "GET", "/v1/whoami", nil)
	}
}

// TestMoveOrEnd: of a change of the tier and a deletion, or another change, that come at once, one wins, and the other is told.
func TestMoveOrEnd(t *testing.T) {
	s := start(t, "row")
	operator, life := s.parts.API.OperatorKey, s.parts.API.Lifecycle
	id, _ := s.admit("acme")
	at := "/admin/tenants/" + id
	life.Move = func(_ context.Context, _ tenant.ID, tier string) error {
		if tier == "free" {
			s.want(204, operator, "PUT", at+"/tier", map[string]string{"tier": "business"})
		}
		return nil
	}
	s.want(409, operator, "PUT", at+"/tier", map[string]string{"tier": "free"})
	if got := s.want(200, operator, "GET", at, nil); got["tier"] != "business" || got["status"] != "ACTIVE" {
		t.Errorf("the last to come asked for business: %v", got)
	}
	life.Move = func(ctx context.Context, id tenant.ID, _ string) error {
		return s.parts.API.Tenants.Take(ctx, id, store.End)
	}
	s.want(409, operator, "PUT", at+"/tier", map[string]string{"tier": "free"})
	if got := s.want(200, operator, "GET", at, nil); got["tier"] != "business" || got["status"] != "OFFBOARDING" {
		t.Errorf("it is being deleted: %v", got)
	}
	s.want(409, operator, "PUT", at+"/tier", map[string]string{"tier": "free"})
	s.want(204, operator, "DELETE", at, nil)
}
