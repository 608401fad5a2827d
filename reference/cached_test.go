package reference_test

import (
	"net/http"
	"strings"
	"testing"
)

// cached are the keys of what is cached, by their rooms.
func (s *service) cached() (shared, apart int) {
	s.t.Helper()
	keys, err := s.parts.Service.Redis.Keys(s.t.Context(), "*").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, key := range keys {
		switch {
		case !strings.Contains(key, ":preferences:"): // another part's
		case strings.HasPrefix(key, "apart:t:"):
			apart++
		case strings.HasPrefix(key, "t:"):
			shared++
		}
	}
	return shared, apart
}

// TestCacheRooms: what a sensitive tier reads lies apart from what others read; a change of tier leaves nothing behind that would be
// met again after a change back.
func TestCacheRooms(t *testing.T) {
	s := start(t, "row")
	id, a := s.admit("acme")
	vault := s.admitTo("globex", "enterprise")
	for _, token := range []string{a, vault} {
		s.want(200, token, "PUT", "/v1/preferences/theme", map[string]string{"value": "old"})
		s.want(200, token, "GET", "/v1/preferences/theme", nil)
	}
	if shared, apart := s.cached(); shared != 1 || apart != 1 {
		t.Errorf("%d entries are shared, %d lie apart", shared, apart)
	}
	for _, tier := range []string{"enterprise", "test"} {
		s.want(204, s.parts.API.OperatorKey, "PUT", "/admin/tenants/"+id+"/tier", map[string]string{"tier": tier})
		if shared, apart := s.cached(); shared != 0 || apart != 1 {
			t.Errorf("after a move to %s, %d entries are shared, %d lie apart", tier, shared, apart)
		}
		s.want(200, a, "PUT", "/v1/preferences/theme", map[string]string{"value": "in " + tier})
		if got := s.want(200, a, "GET", "/v1/preferences/theme", nil); got["value"] != "in "+tier {
			t.Errorf("it reads %v", got)
		}
	}
}

// TestSharedCachesAreTold: no answer may be kept for somebody else, whatever it is and whoever asks: by what a cache between here and
// there is told, and by the tags, which equal objects of two tenants do not share.
func TestSharedCachesAreTold(t *testing.T) {
	s := start(t, "row")
	acme, a := s.admit("acme")
	globex, b := s.admit("globex")
	path := "/v1/documents/" + s.twins(acme, globex)
	_, tag, _ := s.tagged(a, path)
	for name, ask := range map[string]struct {
		status    int
		token, at string
		header    http.Header
	}{
		"a document":               {200, a, path, nil},
		"one that has not changed": {304, a, path, http.Header{"If-None-Match": {tag}}},
		"its twin under that tag":  {200, b, path, http.Header{"If-None-Match": {tag}}},
		"a foreign one":            {404, b, "/v1/documents/" + s.document(a, "x"), http.Header{"If-None-Match": {"*"}}},
		"a list":                   {200, b, "/v1/documents", http.Header{"If-None-Match": {tag}}},
		"nobody's":                 {401, "", path, http.Header{"If-None-Match": {tag}}},
		"no route":                 {404, a, "/v1/nothing", nil},
		"for everybody":            {200, "", "/healthz", nil},
	} {
		status, header, _ := s.raw(ask.token, "GET", ask.at, ask.header, "")
		if status != ask.status || header.Get("Cache-Control") != "private, no-store" || header.Get("Vary") != "Authorization, X-API-Key" {
			t.Errorf("%s answers %d with %q, %q", name, status, header.Get("Cache-Control"), header.Get("Vary"))
		}
	}
}
