package reference_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/tenant"
)

// owner is the tenant that a key names.
func owner(t testing.TB, key map[string]any) tenant.ID {
	t.Helper()
	id, _, err := signing.ParseSecret(text(key, "key"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// authorization signs a call as the program that holds a key.
func (s *service) authorization(key map[string]any, c signing.Call) string {
	s.t.Helper()
	secret, err := base64.RawURLEncoding.DecodeString(text(key, "signing_secret"))
	if err != nil {
		s.t.Fatal(err)
	}
	q := s.parts.API.Requests
	signed := signing.Signed{Tenant: owner(s.t, key), Key: text(key, "id"), At: q.Now().Unix(), Nonce: rand.Text()}
	return q.Authorize(secret, signed, c)
}

// presented sends a request under an Authorization header.
func (s *service) presented(authorization, method, path, body string) (int, string) {
	s.t.Helper()
	status, _, answer := s.raw("", method, path, http.Header{"Authorization": {authorization}, "Content-Type": {"application/json"}}, body)
	return status, answer
}

func (s *service) signed(key map[string]any, method, path, body string) (int, string) {
	s.t.Helper()
	return s.presented(s.authorization(key, signing.Call{Method: method, Target: path, Body: []byte(body)}), method, path, body)
}

// unsigned is an Authorization header up to its signature.
func unsigned(header string) string { return header[:strings.LastIndex(header, "=")+1] }

// TestSignedRequests: a signature is good for one request of one tenant, once, while it is young; what differs in anything is refused and
// changes nothing.
func TestSignedRequests(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		_, a := s.admit("acme")
		idB, b := s.admit("globex")
		one, two := s.document(a, "one"), s.document(a, "two")
		key, theirs := s.key(a, "x", everyScope), s.key(b, "x", everyScope)
		if status, body := s.signed(key, "GET", "/v1/documents/"+one+"?x=%2F", ""); status != 200 {
			t.Fatalf("a signed request answers %d %s", status, body)
		}
		path, body := "/v1/documents/"+one, `{"title":"new"}`
		good := signing.Call{Method: "PATCH", Target: path, Body: []byte(body)}
		swap := func(from, to string) string {
			header := s.authorization(key, good)
			if changed := strings.Replace(header, from, to, 1); changed != header {
				return changed
			}
			t.Fatalf("%s holds no %s", header, from)
			return ""
		}
		before := s.everything()
		now := s.parts.API.Requests.Now
		for name, try := range map[string]struct{ authorization, method, path, body string }{
			"another path":             {s.authorization(key, good), "PATCH", "/v1/documents/" + two, body},
			"a query":                  {s.authorization(key, good), "PATCH", path + "?x", body},
			"another method":           {s.authorization(key, good), "PUT", path, body},
			"another body":             {s.authorization(key, good), "PATCH", path, `{"title":"bad"}`},
			"no body":                  {s.authorization(key, good), "PATCH", path, ""},
			"the neighbour's tenant":   {swap(string(owner(t, key)), idB), "PATCH", path, body},
			"the neighbour's key":      {swap(text(key, "id"), text(theirs, "id")), "PATCH", path, body},
			"another time":             {swap(fmt.Sprint("time=", now().Unix()), fmt.Sprint("time=", now().Unix()-1)), "PATCH", path, body},
			"another nonce":            {swap("nonce=", "nonce=A"), "PATCH", path, body},
			"another signature":        {unsigned(s.authorization(key, good)) + strings.Repeat("A", 43), "PATCH", path, body},
			"no signature":             {unsigned(s.authorization(key, good)), "PATCH", path, body},
			"the key itself":           {signing.Scheme + " " + text(key, "key"), "PATCH", path, body},
			"a second authorization":   {s.authorization(key, good) + ", " + s.authorization(key, good), "PATCH", path, body},
			"the scheme in lower case": {strings.ToLower(signing.Scheme) + s.authorization(key, good)[len(signing.Scheme):], "PATCH", path, body},
		} {
			if status, text := s.presented(try.authorization, try.method, try.path, try.body); status != 401 {
				t.Errorf("with %s it answers %d %s", name, status, text)
			}
		}
		if s.everything() != before {
			t.Error("something was done nevertheless")
		}
		header := s.authorization(key, good)
		if status, text := s.presented(header, "PATCH", path, body); status != 200 || !strings.Contains(text, "new") {
			t.Errorf("the request itself answers %d %s", status, text)
		}
		if status, _ := s.presented(header, "PATCH", path, body); status != 401 {
			t.Errorf("the second time it answers %d", status)
		}
		if status, _ := s.signed(key, "GET", path, ""); status != 200 {
			t.Errorf("another one answers %d", status)
		}
		if status, _ := s.signed(theirs, "GET", path, ""); status != 404 {
			t.Errorf("the neighbour's own answers %d", status)
		}
		if status, _ := s.signed(s.key(a, "small", "files:read"), "GET", path, ""); status != 403 {
			t.Errorf("beyond its scope it answers %d", status)
		}
		s.want(204, a, "DELETE", "/v1/apikeys/"+text(key, "id"), nil)
		if status, _ := s.signed(key, "GET", path, ""); status != 401 {
			t.Errorf("with a key that was revoked it answers %d", status)
		}
	})
}

// TestSignedInTime: a request is good for five minutes, be it signed in the past or in the future, and its nonce is kept for as long
// as it is.
func TestSignedInTime(t *testing.T) {
	s := start(t, "row")
	_, a := s.admit("acme")
	key := s.key(a, "x", everyScope)
	q, at := s.parts.API.Requests, time.Unix(time.Now().Unix(), 0)
	nonces := func() map[string]time.Duration {
		kept, redis := map[string]time.Duration{}, s.parts.Service.Redis
		for _, nonce := range redis.Keys(t.Context(), "nonce:*").Val() {
			kept[nonce] = redis.PTTL(t.Context(), nonce).Val()
		}
		return kept
	}
	for apart, want := range map[time.Duration]int{
		-signing.Skew - time.Second: 401, -signing.Skew: 200, 0: 200, signing.Skew: 200, signing.Skew + time.Second: 401,
	} {
		q.Now = func() time.Time { return at }
		header := s.authorization(key, signing.Call{Method: "GET", Target: "/v1/documents"})
		q.Now = func() time.Time { return at.Add(apart) }
		before := nonces()
		if status, _ := s.presented(header, "GET", "/v1/documents", ""); status != want {
			t.Errorf("%v after its time it answers %d, want %d", apart, status, want)
		}
		after := nonces()
		if fresh := len(after) - len(before); (fresh == 1) != (want == 200) {
			t.Errorf("%v after its time, %d nonces are spent", apart, fresh)
		}
		for nonce, left := range after {
			if _, old := before[nonce]; old {
				continue
			}
			// It was presented at a time that is this far from the last at which it is good.
			if good := signing.Skew - apart; left < good || left > good+2*time.Second {
				t.Errorf("a nonce that is good for %v is kept for %v", good, left)
			}
		}
		q.Now = func() time.Time { return at }
	}
}

// TestSignedAway: while nobody can tell whether a request comes for the first time, none passes. A body that is too long is refused
// before it is digested.
func TestSignedAway(t *testing.T) {
	s, lines := behind(t, "row")
	_, a := s.admit("acme")
	key := s.key(a, "x", everyScope)
	lines["Redis"].set("cut")
	header := s.authorization(key, signing.Call{Method: "GET", Target: "/v1/documents"})
	answered := s.problem("Redis is away", 503, "", "GET", "/v1/documents", http.Header{"Authorization": {header}}, "")
	if answered.Get("Retry-After") == "" {
		t.Errorf("it says %v", answered)
	}
	if status, _ := s.by(key["key"], "GET", "/v1/documents", ""); status != 200 {
		t.Errorf("a key without a signature answers %d", status)
	}
	lines["Redis"].set("")
	s.until("signed requests pass again", func() bool { status, _ := s.signed(key, "GET", "/v1/documents", ""); return status == 200 })
	if status, _ := s.signed(key, "PUT", "/v1/files/x", strings.Repeat("x", 1<<20+1)); status != 413 {
		t.Errorf("a body that is too long answers %d", status)
	}
}
