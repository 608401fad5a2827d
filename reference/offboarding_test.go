package reference_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/export"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// revoked wants nothing to be left that lets somebody in.
func (s *service) revoked(what, id string) {
	s.t.Helper()
	rows := s.rowsOf(id)
	for _, table := range store.TablesOfAccess() {
		if rows[table] > 0 {
			s.t.Errorf("%s: %d rows are left in %s", what, rows[table], table)
		}
	}
}

// archive is what the archive of an offboarded tenant holds. It compares every checksum.
func (s *service) archive(id string) map[string]string {
	s.t.Helper()
	status, data := s.do(s.parts.API.OperatorKey, "GET", "/admin/tenants/"+id+"/archive", nil)
	if status != 200 {
		s.t.Fatalf("the archive answers %d %s", status, data)
	}
	files := s.unzipped(data)
	var manifest export.Manifest
	if err := json.Unmarshal([]byte(files["manifest.json"]), &manifest); err != nil {
		s.t.Fatal(err)
	}
	if string(manifest.Tenant) != id || len(manifest.Entries) != len(files)-1 {
		s.t.Errorf("the manifest of %d files is %s", len(files), files["manifest.json"])
	}
	for _, e := range manifest.Entries {
		sum := sha256.Sum256([]byte(files[e.Name]))
		if hex.EncodeToString(sum[:]) != e.SHA256 || int64(len(files[e.Name])) != e.Bytes {
			s.t.Errorf("%s is not as the manifest says", e.Name)
		}
	}
	return files
}

// TestOffboarding: the way back and the way on. What was a tenant's own lets nobody in any more, also after the way back; the archive
// holds all that it had, and nothing of its neighbour.
func TestOffboarding(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		operator, life := s.parts.API.OperatorKey, s.parts.API.Lifecycle
		id, a := s.admit("acme")
		idB, b := s.admit("globex")
		s.plantOne(idB, b, "of globex")
		s.plantOne(id, a, "of acme")
		s.want(204, a, "PUT", "/v1/files/reports/q4.txt", "a file of acme")
		neighbour, at := s.rowsOf(idB), "/admin/tenants/"+id
		s.want(404, operator, "GET", at+"/archive", nil)
		s.want(409, operator, "DELETE", at+"/offboard", nil)
		for _, days := range []any{-1, api.MaxRetention + 1, "7", 1.5} {
			s.want(400, operator, "POST", at+"/offboard", map[string]any{"retain_days": days})
		}
		s.want(401, a, "POST", at+"/offboard", map[string]any{})
		got := s.want(200, operator, "POST", at+"/offboard", map[string]any{})
		day, err := time.Parse(time.RFC3339, text(got, "delete_after"))
		if err != nil || got["status"] != "OFFBOARDING" || time.Until(day).Round(time.Hour) != 30*24*time.Hour {
			t.Errorf("offboarded it is %v, %v", got, err)
		}
		s.want(403, a, "GET", "/v1/whoami", nil)
		s.revoked("offboarded", id)
		files := s.archive(id)
		for name, content := range files {
			if strings.Contains(content, "globex") {
				t.Errorf("%s in the archive of acme: %s", name, content)
			}
		}
		if files["files/reports/q4.txt"] != "a file of acme" || !strings.Contains(files["audit.json"], "document.create") {
			t.Errorf("the archive holds %v", slices.Sorted(maps.Keys(files)))
		}
		s.want(409, operator, "POST", at+"/resume", nil)
		s.want(409, operator, "POST", at+"/suspend", nil)
		s.want(409, operator, "PUT", at+"/tier", map[string]string{"tier": "free"})
		s.want(204, operator, "DELETE", at+"/offboard", nil)
		s.want(404, operator, "GET", at+"/archive", nil)
		s.want(403, a, "GET", "/v1/whoami", nil)
		s.want(204, operator, "POST", at+"/resume", nil)
		s.want(401, a, "GET", "/v1/whoami", nil)
		if err := life.Sweep(t.Context()); err != nil || s.stands(id) != "ACTIVE" {
			t.Errorf("kept, it is %s, %v", s.stands(id), err)
		}
		s.want(200, operator, "POST", at+"/offboard", map[string]any{"retain_days": 0})
		if err := life.Sweep(t.Context()); err != nil || s.stands(id) != "DELETED" {
			t.Errorf("kept for no day, it is %s, %v", s.stands(id), err)
		}
		s.want(404, operator, "POST", at+"/offboard", map[string]any{})
		want := "provisioning admitted offboarding retained kept resumed offboarding retained expiring deleted"
		if steps := strings.Join(s.steps(id), " "); steps != want {
			t.Errorf("its life was %s", steps)
		}
		if !maps.Equal(s.rowsOf(idB), neighbour) {
			t.Errorf("of its neighbour there were %v, and are %v", neighbour, s.rowsOf(idB))
		}
		s.want(404, operator, "GET", "/admin/tenants/"+string(tenant.New())+"/history", nil)
	})
}

// TestKeptOrDeleted: an offboarding that is called off at the last moment is not deleted by who found it due, and the other way round.
func TestKeptOrDeleted(t *testing.T) {
	s, pass := ageing(t, "row")
	life, tenants := s.parts.API.Lifecycle, s.parts.API.Tenants
	id, _ := s.admit("acme")
	s.want(200, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/offboard", map[string]any{"retain_days": 1})
	if _, ok, err := tenants.Claim(t.Context(), ""); ok || err != nil {
		t.Errorf("before its day: %v, %v", ok, err)
	}
	pass(25 * time.Hour)
	life.Each = func(ctx context.Context, name string, do func(context.Context) error) error {
		if name == "close" { // the sweep has found it due
			if err := tenants.Take(ctx, tenant.ID(id), store.Keep); err != nil {
				t.Error(err)
			}
		}
		return do(ctx)
	}
	if err := life.Sweep(t.Context()); err != nil || s.stands(id) != "SUSPENDED" {
		t.Errorf("it is %s, %v", s.stands(id), err)
	}
	life.Each = nil
	s.want(200, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/offboard", map[string]any{"retain_days": 1})
	pass(25 * time.Hour)
	// Of two processes one gets it.
	first, one, err := tenants.Claim(t.Context(), "")
	_, two, err2 := tenants.Claim(t.Context(), "")
	if err := errors.Join(err, err2); err != nil || !one || two || string(first.ID) != id {
		t.Errorf("%v, %v claim it, %v", one, two, err)
	}
	pass(time.Hour) // the first is not heard of
	if err := life.Sweep(t.Context()); err != nil || s.stands(id) != "DELETED" {
		t.Errorf("it is %s, %v", s.stands(id), err)
	}
}
