package reference_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/ratelimit"
)

// stopped is a service whose limiter's time is the test's own.
func stopped(t *testing.T) (s *service, now *time.Time) {
	at := time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)
	return start(t, "row", func(p *reference.Parts) { p.Limiter.Now = func() time.Time { return at } }), &at
}

// TestLimitedTenant: a tenant is told what it has left, refused when nothing is, and let in when it was told to come. What it does
// costs its neighbours nothing, and what it sends along gains it nothing.
func TestLimitedTenant(t *testing.T) {
	s, now := stopped(t)
	token, neighbour := s.admitTo("small", "free"), s.admitTo("other", "free")
	_, unlimited := s.admit("acme")
	for i := range 10 {
		status, header, _ := s.raw(token, "GET", "/v1/whoami", http.Header{"X-Forwarded-For": {fmt.Sprint("192.0.2.", i)}, "X-Tenant-Id": {fmt.Sprint(i)}}, "")
		if status != 200 || header.Get("X-RateLimit-Remaining") != strconv.Itoa(9-i) || header.Get("X-RateLimit-Limit") != "60" {
			t.Errorf("request %d: %d %v", i+1, status, header)
		}
		if want := `"burst";q=10;w=10, "minute";q=60;w=60, "day";q=1000;w=86400`; header.Get("RateLimit-Policy") != want {
			t.Errorf("the policy is %s", header.Get("RateLimit-Policy"))
		}
		if want := fmt.Sprintf(`"burst";r=%d;t=1, "minute";r=%d;t=60, "day";r=%d;t=57600`, 9-i, 59-i, 999-i); header.Get("RateLimit") != want {
			t.Errorf("what is left is %s, want %s", header.Get("RateLimit"), want)
		}
	}
	for range 3 {
		header := s.problem("an eleventh request", 429, token, "GET", "/v1/whoami", http.Header{"X-Forwarded-For": {"192.0.2.99"}}, "")
		if header.Get("Retry-After") != "1" || header.Get("X-RateLimit-Remaining") != "0" || header.Get("X-RateLimit-Reset") != "1" {
			t.Errorf("a refusal says %v", header)
		}
	}
	s.want(200, neighbour, "GET", "/v1/whoami", nil)
	*now = now.Add(time.Second)
	s.want(200, token, "GET", "/v1/documents", nil)
	s.problem("another route", 429, token, "GET", "/v1/whoami", nil, "")
	if status, header, _ := s.raw(unlimited, "GET", "/v1/whoami", nil, ""); status != 200 || header.Get("RateLimit") != "" || header.Get("X-RateLimit-Limit") != "" {
		t.Errorf("a tenant without limits is told of some: %d %v", status, header)
	}
}

// TestRefusalsCostNothing: a tenant that keeps asking while it is refused waits no longer for it.
func TestRefusalsCostNothing(t *testing.T) {
	s, now := stopped(t)
	token := s.admitTo("small", "free")
	for range 30 {
		s.do(token, "GET", "/v1/whoami", nil)
	}
	for range 5 {
		*now = now.Add(time.Second)
		s.want(200, token, "GET", "/v1/whoami", nil)
		s.problem("too early", 429, token, "GET", "/v1/whoami", nil, "")
	}
}

// TestLimiterAway: while nobody can count, who is limited waits or passes as it was decided, and who is not is served.
func TestLimiterAway(t *testing.T) {
	s, lines := behind(t, "row")
	token := s.admitTo("small", "free")
	_, unlimited := s.admit("acme")
	lines["Redis"].set("cut")
	header := s.problem("nobody counts", 503, token, "GET", "/v1/whoami", nil, "")
	if header.Get("Retry-After") == "" || header.Get("RateLimit") != "" {
		t.Errorf("it says %v", header)
	}
	s.want(200, unlimited, "GET", "/v1/whoami", nil)
	s.parts.Limiter.Without = ratelimit.Local
	for range 10 {
		s.want(200, token, "GET", "/v1/whoami", nil)
	}
	s.problem("the share is used up", 429, token, "GET", "/v1/whoami", nil, "")
	lines["Redis"].set("")
	s.comesBack(token, "/v1/whoami")
}
