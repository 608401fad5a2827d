package reference_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// TestTrail: a trail is read by its tenant's admins, page by page and by dates, and by operators through an override alone.
func TestTrail(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, a := s.admit("acme")
		_, b := s.admit("globex")
		s.document(b, "foreign")
		for _, slug := range []string{"one", "two", "three"} {
			s.document(a, slug)
		}
		first := s.want(200, a, "GET", "/v1/audit?limit=2", nil)
		items := first["items"].([]any)
		newest := items[0].(map[string]any)
		if len(items) != 2 || newest["seq"] != 3.0 || newest["ip"] != "127.0.0.1" || newest["outcome"] != "done" || newest["request"] == "" ||
			!strings.HasPrefix(newest["agent"].(string), "Go-http-client") {
			t.Errorf("it shows %v", first)
		}
		cursor := url.QueryEscape(first["next"].(string))
		rest := s.want(200, a, "GET", "/v1/audit?limit=2&cursor="+cursor, nil)
		oldest := rest["items"].([]any)[0].(map[string]any)
		if len(rest["items"].([]any)) != 1 || oldest["seq"] != 1.0 || rest["next"] != nil {
			t.Errorf("and then %v", rest)
		}
		at := url.QueryEscape(newest["at"].(string))
		if got := s.want(200, a, "GET", "/v1/audit?to="+at, nil)["items"].([]any); len(got) != 2 {
			t.Errorf("before the newest there are %v", got)
		}
		if got := s.want(200, a, "GET", "/v1/audit?from="+at, nil)["items"].([]any); len(got) != 1 {
			t.Errorf("from the newest on there are %v", got)
		}
		for _, bad := range []string{"from=yesterday", "to=2026-01-01", "from=" + at + "&from=" + at, "cursor=x", "limit=0", "from=" + at + "&cursor=" + cursor, "to=0000-01-01T00:00:00Z"} {
			s.want(400, a, "GET", "/v1/audit?"+bad, nil)
		}
		s.want(400, b, "GET", "/v1/audit?limit=2&cursor="+cursor, nil)
		if got := s.want(200, a, "GET", "/v1/audit/verified", nil); got["intact"] != true || got["last"] != 3.0 {
			t.Errorf("it is %v", got)
		}
		member := text(s.join(a, "bob@example.com"), "token")
		s.want(403, member, "GET", "/v1/audit", nil)
		s.want(403, member, "GET", "/v1/audit/verified", nil)
		last := s.want(200, a, "GET", "/v1/audit", nil)["items"].([]any)[0].(map[string]any)
		if last["actor"] != "bob@example.com" || last["outcome"] != "refused" || last["object"] != "GET /v1/audit/verified" {
			t.Errorf("the refusal stands as %v", last)
		}
		support := text(s.override(id, 15), "token")
		s.want(200, support, "GET", "/v1/audit", nil)
		s.want(401, s.parts.API.OperatorKey, "GET", "/v1/audit", nil)
	})
}

// TestRetention: what is older than a tenant's tier keeps goes, and what is left can be verified.
func TestRetention(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, a := s.admit("acme")
		for _, slug := range []string{"one", "two", "three"} {
			s.document(a, slug)
		}
		now := time.Now()
		s.parts.Keys.Now = func() time.Time { return now }
		if err := s.parts.KeepTrails(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := s.want(200, a, "GET", "/v1/audit/verified", nil); v["first"] != 1.0 || v["last"] != 3.0 {
			t.Errorf("nothing is old, and it is %v", v)
		}
		now = now.Add(91 * 24 * time.Hour)
		if err := s.parts.KeepTrails(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = time.Now() // for the token
		if v := s.want(200, a, "GET", "/v1/audit/verified", nil); v["intact"] != true || v["first"] != 4.0 || v["entries"] != 1.0 {
			t.Errorf("it is %v", v)
		}
		tenants := s.parts.API.Tenants // its rows stay where they are
		if err := errors.Join(tenants.BeginMove(t.Context(), tenant.ID(id), "enterprise"), tenants.EndMove(t.Context(), tenant.ID(id), "enterprise")); err != nil {
			t.Fatal(err)
		}
		now = now.Add(91 * 24 * time.Hour)
		if err := s.parts.KeepTrails(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = time.Now()
		if v := s.want(200, a, "GET", "/v1/audit/verified", nil); v["first"] != 4.0 {
			t.Errorf("another tier keeps less: %v", v)
		}
	})
}
