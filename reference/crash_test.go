package reference_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

var errInjected = errors.New("injected")

// mishap happens at one of the parts that make up a step of a tenant's life: before it is done, or right after.
type mishap struct {
	at    int // counted down
	after bool
	crash bool // the process is gone: nothing is rolled back
}

func (m *mishap) each(ctx context.Context, _ string, do func(context.Context) error) error {
	m.at--
	if m.at != 0 || m.after {
		if err := do(ctx); err != nil || m.at != 0 {
			return err
		}
	}
	if m.crash {
		panic(errInjected)
	}
	return errInjected
}

// survives runs what may crash, and tells whether it did or failed as injected.
func survives(t *testing.T, do func() error) (hit bool) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			if p != errInjected { //nolint:errorlint // it is the very value
				panic(p)
			}
			hit = true
		}
	}()
	err := do()
	if err != nil && !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	return err != nil
}

// everyMishap calls try with a mishap at each part of a step in turn, until the step passes all of its parts.
func everyMishap(t *testing.T, crash bool, try func(name string, m *mishap) (hit bool)) {
	t.Helper()
	for _, after := range []bool{false, true} {
		for at, hit := 1, true; hit; at++ {
			hit = try(fmt.Sprintf("at-%d-%v", at, after), &mishap{at: at, after: after, crash: crash})
			if !hit && at < 3 {
				t.Errorf("there are only %d parts", at-1)
			}
		}
	}
}

// ageing starts a service whose tenants age when it is told so.
func ageing(t *testing.T, strategy string) (s *service, pass func(time.Duration)) {
	t.Helper()
	var passed atomic.Int64
	s = start(t, strategy, func(p *reference.Parts) {
		p.API.Tenants.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	})
	return s, func(d time.Duration) { passed.Add(int64(d)) }
}

// lifeStrategies are one with shared tables, and one with rooms of all kinds.
var lifeStrategies = []string{"rls", "hybrid"}

var founders = []lifecycle.User{{Email: "alice@example.com", Role: "admin"}}

// admission admits a tenant, past the API, and notes every id that was drawn.
func (s *service) admission(slug string, drawn *[]string) func() error {
	life, draw := s.parts.API.Lifecycle, func(string) tenant.ID {
		id := tenant.New()
		*drawn = append(*drawn, string(id))
		return id
	}
	return func() error {
		life.NewID = draw
		_, _, err := life.Admit(s.t.Context(), slug, slug, "test-schema", founders)
		return err
	}
}

// TestAdmissionFails: whichever part of an admission fails, before it is done or after, nothing is left of the tenant, and its name is
// free. TestAdmissionCrashes: the same when the process ends, once somebody admits the tenant again.
func TestAdmissionFails(t *testing.T)   { testAdmission(t, false) }
func TestAdmissionCrashes(t *testing.T) { testAdmission(t, true) }

func testAdmission(t *testing.T, crash bool) {
	for _, strategy := range lifeStrategies {
		t.Run(strategy, func(t *testing.T) {
			s, pass := ageing(t, strategy)
			life := s.parts.API.Lifecycle
			everyMishap(t, crash, func(slug string, m *mishap) bool {
				var drawn []string
				admit := s.admission(slug, &drawn)
				before := s.inventory()
				life.Each = m.each
				hit := survives(t, admit)
				life.Each = nil
				if !hit {
					return false
				}
				if crash {
					if err := admit(); !errors.Is(err, store.ErrConflict) {
						t.Errorf("%s: somebody may still be at it: %v", slug, err)
					}
					pass(time.Hour)
				}
				if !crash {
					s.forgotten(slug, drawn[0], before)
				} else if s.stands(drawn[0]) == "ACTIVE" { // it was done but for the answer
					s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+drawn[0], nil)
				}
				if err := admit(); err != nil {
					t.Errorf("%s: admitted again: %v", slug, err)
				}
				s.forgotten(slug, drawn[0], before)
				if now := s.stands(drawn[len(drawn)-1]); now != "ACTIVE" {
					t.Errorf("%s: the second is %s", slug, now)
				}
				return true
			})
		})
	}
}

// forgotten wants no store to hold anything of a tenant, but for what the service remembers of its life.
func (s *service) forgotten(what, id string, before inventory) {
	s.t.Helper()
	left := s.inventory(id)
	for table, n := range left.rows[id] {
		if n > 0 {
			s.t.Errorf("%s: %d rows are left in %s", what, n, table)
		}
	}
	for key, value := range left.keys {
		if strings.Contains(key+value, id) {
			s.t.Errorf("%s: Redis holds %s: %s", what, key, value)
		}
	}
	if !maps.Equal(left.objects, before.objects) {
		s.t.Errorf("%s: the bucket held %v, and holds %v", what, before.objects, left.objects)
	}
	var rooms int
	err := s.parts.Service.Owner.QueryRow(s.t.Context(), `select count(*) from pg_namespace where nspname = $1`, "tenant_"+strings.ReplaceAll(id, "-", "")).Scan(&rooms)
	if err != nil || rooms > 0 {
		s.t.Errorf("%s: %d schemas are left, %v", what, rooms, err)
	}
	if _, err := s.parts.Service.Open(s.t.Context(), "tenant_"+strings.ReplaceAll(id, "-", "")); err == nil {
		s.t.Errorf("%s: its database is left", what)
	}
	if record := s.want(200, s.parts.API.OperatorKey, "GET", "/admin/tenants/"+id, nil); record["status"] != "DELETED" || record["slug"] != "" || record["name"] != "" {
		s.t.Errorf("%s: it is %v", what, record)
	}
}

// steps of a tenant's life, as the service remembers them.
func (s *service) steps(id string) (steps []string) {
	s.t.Helper()
	for _, e := range s.want(200, s.parts.API.OperatorKey, "GET", "/admin/tenants/"+id+"/history", nil)["items"].([]any) {
		steps = append(steps, text(e.(map[string]any), "step"))
	}
	return steps
}

// TestDeletionCrashes: at whichever part of a deletion the process ends, the tenant stays closed, and another one completes it.
func TestDeletionCrashes(t *testing.T) {
	for _, strategy := range lifeStrategies {
		t.Run(strategy, func(t *testing.T) {
			s, pass := ageing(t, strategy)
			life := s.parts.API.Lifecycle
			everyMishap(t, true, func(slug string, m *mishap) bool {
				before := s.inventory()
				id, token := s.admit(slug)
				s.plantOne(id, token, "secret")
				life.Each = m.each
				hit := survives(t, func() error { return life.Delete(t.Context(), tenant.ID(id)) })
				life.Each = nil
				if now := s.stands(id); now != "DELETED" && now != "ACTIVE" {
					s.want(403, token, "GET", "/v1/whoami", nil)
					s.want(409, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id+"/offboard", nil) // there is no way back
					s.want(409, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/resume", nil)
				} else if now == "ACTIVE" { // nothing was begun
					s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
				}
				for range 2 {
					if err := life.Sweep(t.Context()); err != nil {
						t.Error(err)
					}
					pass(time.Hour)
				}
				s.forgotten(slug, id, before)
				if steps := s.steps(id); steps[len(steps)-1] != "deleted" || !slices.Contains(steps, "deleting") {
					t.Errorf("%s: its life was %v", slug, steps)
				}
				return hit
			})
		})
	}
}

// TestOffboardingCrashes: at whichever part of an offboarding the process ends, another one completes it, and on its day, not before,
// the tenant is deleted.
func TestOffboardingCrashes(t *testing.T) {
	for _, strategy := range lifeStrategies {
		t.Run(strategy, func(t *testing.T) {
			s, pass := ageing(t, strategy)
			life := s.parts.API.Lifecycle
			everyMishap(t, true, func(slug string, m *mishap) bool {
				before := s.inventory()
				id, token := s.admit(slug)
				s.plantOne(id, token, "secret")
				life.Each = m.each
				hit := survives(t, func() error { return life.Offboard(t.Context(), tenant.ID(id), 7) })
				life.Each = nil
				if s.stands(id) == "ACTIVE" { // nothing was begun
					s.want(200, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/offboard", map[string]int{"retain_days": 7})
				}
				s.want(403, token, "GET", "/v1/whoami", nil)
				for range 2 {
					if err := life.Sweep(t.Context()); err != nil {
						t.Error(err)
					}
					pass(time.Hour)
				}
				if now := s.stands(id); now != "OFFBOARDING" {
					t.Errorf("%s: before its day it is %s", slug, now)
				}
				s.revoked(slug, id)
				if files := s.archive(id); !strings.Contains(files["documents.json"], "secret") {
					t.Errorf("%s: the archive holds %v", slug, files)
				}
				pass(7 * 24 * time.Hour)
				if err := life.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
				s.forgotten(slug, id, before)
				return hit
			})
		})
	}
}
