package reference_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/tenant"
)

var apiKeysItem = item{
	name: "apikeys",
	plant: func(s *service, token, secret string) map[string]string {
		key := s.key(token, secret, "documents:read")
		if status, body := s.signed(key, "GET", "/v1/documents", ""); status != 200 { // its nonce is kept
			s.t.Fatalf("a signed request answers %d %s", status, body)
		}
		return map[string]string{"id": text(key, "id")}
	},
	tries: []string{"GET /v1/apikeys/{id}", `POST /v1/apikeys/{id}/rotate {"overlap":3600}`, "DELETE /v1/apikeys/{id}"},
	see:   []string{"/v1/apikeys", "/v1/apikeys/{id}"},
}

// key makes an API key that is good for a day.
func (s *service) key(token, name, scope string) map[string]any {
	s.t.Helper()
	return s.want(201, token, "POST", "/v1/apikeys", map[string]any{"name": name, "scope": scope, "expires_in": 86400})
}

// everyScope is all that a key may do.
var everyScope = func() string {
	var words []string
	for _, resource := range []string{"documents", "categories", "projects", "invoices", "preferences", "files", "exports", "events"} {
		words = append(words, resource+":read", resource+":write")
	}
	return strings.Join(words, " ")
}()

// by sends a request with a key in a header.
func (s *service) by(key any, method, path, body string) (int, string) {
	s.t.Helper()
	status, _, answer := s.raw("", method, path, http.Header{"X-Api-Key": {key.(string)}, "Content-Type": {"application/json"}}, body)
	return status, answer
}

// TestAPIKeys: a key is shown once and kept as a digest; it acts for the tenant that made it, under a name of its own, within its scope;
// it ends when it expires, is rotated, or is revoked, and not a request later.
func TestAPIKeys(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, login := s.newcomer("acme")
		_, theirs := s.newcomer("globex")
		a, b := text(login(), "token"), text(theirs(), "token")
		mine := s.document(a, "mine")
		key := s.key(a, "import", "documents:read files:write")
		if all := s.everything(); strings.Contains(all, text(key, "key")) || strings.Contains(all, text(key, "signing_secret")) {
			t.Error("the key itself is stored")
		}
		for _, path := range []string{"/v1/apikeys", "/v1/apikeys/" + text(key, "id")} {
			if _, shown := s.do(a, "GET", path, nil); !strings.Contains(shown, "import") || strings.Contains(shown, text(key, "key")) || strings.Contains(shown, `"signing_secret"`) {
				t.Errorf("GET %s shows %s", path, shown)
			}
		}
		for _, header := range []http.Header{{"X-Api-Key": {text(key, "key")}}, {"Authorization": {"ApiKey " + text(key, "key")}}} {
			header["X-Tenant-Id"] = []string{"globex"}
			status, _, who := s.raw("", "GET", "/v1/whoami?tenant_id=globex", header, "")
			if status != 200 || !strings.Contains(who, id) || !strings.Contains(who, `"user":"key:`+text(key, "id")+`"`) || !strings.Contains(who, `"role":"program"`) {
				t.Errorf("it acts as %d %s", status, who)
			}
		}
		if status, body := s.by(key["key"], "GET", "/v1/documents/"+mine, ""); status != 200 {
			t.Errorf("within its scope it answers %d %s", status, body)
		}
		if status, _ := s.by(key["key"], "DELETE", "/v1/documents/"+mine, ""); status != 403 {
			t.Errorf("beyond its scope it answers %d", status)
		}
		if status, _ := s.by(key["key"], "PUT", "/v1/files/x", "of the program"); status != 204 || !slices.ContainsFunc(s.trail(a), func(e string) bool { return strings.Contains(e, "key:"+text(key, "id")) }) {
			t.Errorf("what it may write answers %d; the trail is %v", status, s.trail(a))
		}
		other := s.key(b, "import", "documents:read")
		if status, body := s.by(other["key"], "GET", "/v1/documents/"+mine, ""); status != 404 {
			t.Errorf("the neighbour's key answers %d %s", status, body)
		}
		hex, secret, _ := strings.Cut(text(key, "key"), ".")
		theirHex, theirSecret, _ := strings.Cut(text(other, "key"), ".")
		for name, header := range map[string]http.Header{
			"the neighbour's tenant":        {"X-Api-Key": {theirHex + "." + secret}},
			"the neighbour's secret":        {"X-Api-Key": {hex + "." + theirSecret}},
			"no tenant that there is":       {"X-Api-Key": {strings.ReplaceAll(string(tenant.New()), "-", "") + "." + secret}},
			"no secret":                     {"X-Api-Key": {hex + "."}},
			"nothing":                       {"X-Api-Key": {""}},
			"more":                          {"X-Api-Key": {text(key, "key") + "x"}},
			"its id":                        {"X-Api-Key": {text(key, "id")}},
			"two keys":                      {"X-Api-Key": {text(key, "key"), text(other, "key")}},
			"a key beside a bad token":      {"X-Api-Key": {text(key, "key")}, "Authorization": {"Bearer x"}},
			"two of the other header":       {"Authorization": {"ApiKey " + text(key, "key"), "Bearer " + b}},
			"a refresh token":               {"X-Api-Key": {text(login(), "refresh_token")}},
			"an access token":               {"X-Api-Key": {a}},
			"a key where a token should be": {"Authorization": {"Bearer " + text(key, "key")}},
		} {
			if status, _, body := s.raw("", "GET", "/v1/whoami", header, ""); status != 401 {
				t.Errorf("with %s it answers %d %s", name, status, body)
			}
		}
		for _, authorization := range []string{"Bearer " + b, "ApiKey " + text(other, "key")} {
			header := http.Header{"X-Api-Key": {text(key, "key")}, "Authorization": {authorization}}
			if status, _, who := s.raw("", "GET", "/v1/whoami", header, ""); status != 200 || !strings.Contains(who, `"slug":"globex"`) {
				t.Errorf("beside another's credential the key acts as %d %s", status, who)
			}
		}
		rotate := func(overlap int) map[string]any {
			return s.want(201, a, "POST", "/v1/apikeys/"+text(key, "id")+"/rotate", map[string]any{"overlap": overlap})
		}
		standing := func(what string, want int, key map[string]any) {
			t.Helper()
			if status, _ := s.by(key["key"], "GET", "/v1/documents", ""); status != want {
				t.Errorf("%s answers %d, want %d", what, status, want)
			}
		}
		next := rotate(3600)
		if next["scope"] != key["scope"] || next["name"] != key["name"] {
			t.Errorf("its successor is %v", next)
		}
		standing("the old key within the overlap", 200, key)
		standing("its successor", 200, next)
		s.later(time.Hour + time.Second)
		standing("the old key behind the overlap", 401, key)
		a = text(login(), "token")
		s.want(404, a, "POST", "/v1/apikeys/"+text(key, "id")+"/rotate", map[string]any{"overlap": 0})
		key = next
		next = rotate(0)
		standing("a key that was rotated at once", 401, key)
		s.want(204, a, "DELETE", "/v1/apikeys/"+text(next, "id"), nil)
		standing("a key that was revoked", 401, next)
		last := s.key(a, "last", "documents:read")
		s.later(24*time.Hour - time.Second)
		standing("a key before its end", 200, last)
		s.later(time.Second)
		standing("a key at its end", 401, last)
		trail := strings.Join(s.trail(text(login(), "token")), "\n")
		for _, action := range []string{"apikey.create", "apikey.rotate", "apikey.revoke"} {
			if !strings.Contains(trail, action) {
				t.Errorf("the trail says nothing of %s: %s", action, trail)
			}
		}
		gone := s.key(text(login(), "token"), "gone", "documents:read")
		s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
		standing("a key of a deleted tenant", 401, gone)
	})
}

// TestScopes: a key with every scope reaches what is in a scope, and nothing that is for people; one with none of a route's rights does
// not reach the route.
func TestScopes(t *testing.T) {
	s := start(t, "row", func(p *reference.Parts) { p.API.StreamFor = 50 * time.Millisecond })
	_, a := s.admit("acme")
	all, member := s.key(a, "all", everyScope), text(s.join(a, "bob@example.com"), "token")
	people := []string{"apikeys", "members", "invitations", "overrides", "webhooks", "logout", "sessions", "audit", "links", "jobs"}
	s.want(403, member, "POST", "/v1/apikeys", map[string]any{"name": "x", "scope": "documents:read", "expires_in": 60})
	for _, route := range api.Routes() {
		if route.Guard != api.Chain {
			continue
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		resource := strings.Split(path, "/")[2]
		path = regexpVariables.ReplaceAllString(path, tenant.Program)
		status, body := s.by(all["key"], method, path, "{")
		if human := slices.Contains(people, resource); human != (status == 403) {
			t.Errorf("%s answers a key with every scope %d %s", route.Pattern, status, body)
		}
		if resource == "whoami" || slices.Contains(people, resource) {
			continue
		}
		right := ":write"
		if method == "GET" {
			right = ":read"
		}
		own := map[string]string{"trash": "documents", "file-versions": "files", "ws": "events"}[resource]
		if own == "" {
			own = resource
		}
		words := strings.Fields(everyScope)
		others := slices.DeleteFunc(words, func(w string) bool { return w == own+right })
		one := s.key(a, "but one", strings.Join(others, " "))
		if status, body := s.by(one["key"], method, path, "{"); status != 403 {
			t.Errorf("%s answers a key without %s %d %s", route.Pattern, own+right, status, body)
		}
		s.want(204, a, "DELETE", "/v1/apikeys/"+text(one, "id"), nil)
	}
	for _, bad := range []string{"", "documents", "documents:admin", "members:read", "documents:read,files:read", "documents:read  files:read", " documents:read", "*:read"} {
		s.want(400, a, "POST", "/v1/apikeys", map[string]any{"name": "x", "scope": bad, "expires_in": 60})
	}
	for range 49 {
		s.key(a, "one of many", "documents:read")
	}
	s.want(409, a, "POST", "/v1/apikeys", map[string]any{"name": "x", "scope": "documents:read", "expires_in": 60})
}

// TestKeysAreLimited: what a program sends counts for its tenant, and for nobody else; keys that open nothing count for nobody.
func TestKeysAreLimited(t *testing.T) {
	s := start(t, "row")
	small := s.admitTo("small", "free")
	_, other := s.admit("acme")
	mine, theirs := s.key(small, "x", "documents:read"), s.key(other, "x", "documents:read")
	hex, _, _ := strings.Cut(text(mine, "key"), ".")
	for range 30 {
		if status, _ := s.by(hex+"."+strings.Repeat("A", 52), "GET", "/v1/documents", ""); status != 401 {
			t.Fatalf("a key that was guessed answers %d", status)
		}
	}
	got := map[int]int{}
	for range 30 {
		status, _ := s.by(mine["key"], "GET", "/v1/documents", "")
		got[status]++
		if status, _ := s.by(theirs["key"], "GET", "/v1/documents", ""); status != 200 {
			t.Errorf("the neighbour is answered %d", status)
		}
	}
	if got[200] == 0 || got[429] == 0 || len(got) != 2 {
		t.Errorf("thirty requests at once of a small tenant were answered %v", slices.Collect(maps.Keys(got)))
	}
}
