package reference_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/tenant"
)

// link makes a link to a file.
func (s *service) link(token, method, path string, seconds int) (url string) {
	s.t.Helper()
	return text(s.want(201, token, "POST", "/v1/links", map[string]any{"path": path, "method": method, "expires_in": seconds}), "url")
}

var linksItem = item{
	name: "links",
	plant: func(s *service, token, secret string) map[string]string {
		only := "only/" + uuid.NewString()
		for _, path := range []string{"reports/linked.txt", only} {
			s.want(204, token, "PUT", "/v1/files/"+path, secret)
		}
		last := func(method string) string {
			url := s.link(token, method, "reports/linked.txt", 600)
			return url[strings.LastIndex(url, "/")+1:]
		}
		return map[string]string{"path": only, "token": last("GET"), "upload": last("PUT")}
	},
	tries: []string{`POST /v1/links {"path":"{path}","method":"GET","expires_in":60}`},
	see:   []string{"/v1/links/{token}"},
}

// opens asks for a link, as somebody without an account and as a user of a neighbour: it must make no difference.
func (s *service) opens(url string, status int, want string) {
	s.t.Helper()
	if got, body := s.do("", "GET", url, nil); got != status || status == 200 && body != want {
		s.t.Errorf("it answers %d %s, want %d %s", got, body, status, want)
	}
}

// TestLinks: a link opens the content that was linked, for whoever holds it, until it expires or the file, the session of who made it, the
// user or the tenant is gone.
func TestLinks(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, a := s.admit("acme")
		_, b := s.admit("globex")
		s.want(204, a, "PUT", "/v1/files/plan", "of acme")
		s.want(204, b, "PUT", "/v1/files/plan", "of globex")
		link := s.link(a, "GET", "plan", 600)
		s.opens(link, 200, "of acme")
		if status, body := s.do(b, "GET", link, nil); status != 200 || body != "of acme" {
			t.Errorf("a neighbour who was given it reads %d %s", status, body)
		}
		s.opens(s.link(b, "GET", "plan", 600), 200, "of globex")
		s.want(204, a, "PUT", "/v1/files/plan", "written later")
		s.opens(link, 200, "of acme")
		s.want(404, a, "POST", "/v1/links", map[string]any{"path": "nothing", "method": "GET", "expires_in": 60})

		write := s.link(a, "PUT", "inbox/new", 600)
		s.want(204, "", "PUT", write, "from outside")
		if status, body := s.do(a, "GET", "/v1/files/inbox/new", nil); status != 200 || body != "from outside" {
			t.Errorf("what was written by a link is %d %s", status, body)
		}
		s.want(404, b, "GET", "/v1/files/inbox/new", nil)
		if trail := strings.Join(s.trail(a), "\n"); !strings.Contains(trail, "file.put by link") || !strings.Contains(trail, "link.create") {
			t.Errorf("the trail is %s", trail)
		}
		s.want(404, "", "GET", write, nil)
		s.want(404, "", "PUT", link, "x")
		s.want(405, "", "DELETE", link, nil)

		s.want(204, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/suspend", nil)
		s.opens(link, 404, "")
		s.want(204, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/resume", nil)
		s.opens(link, 200, "of acme")
		member := text(s.join(a, "carol@example.com"), "token")
		theirs := s.link(member, "GET", "plan", 600)
		s.opens(theirs, 200, "written later")
		s.want(204, a, "DELETE", "/v1/members/carol@example.com", nil)
		s.opens(theirs, 404, "")

		s.want(204, a, "DELETE", "/v1/files/plan", nil)
		s.opens(link, 404, "")
		s.want(204, a, "PUT", "/v1/files/plan", "a new file")
		s.opens(link, 404, "")

		link = s.link(a, "GET", "plan", 60)
		s.later(59 * time.Second)
		s.opens(link, 200, "a new file")
		s.later(2 * time.Second)
		s.opens(link, 404, "")
		link = s.link(a, "GET", "plan", 3600)
		s.want(204, a, "POST", "/v1/logout", nil)
		s.opens(link, 404, "")
		link = s.link(b, "GET", "plan", 3600)
		s.opens(link, 200, "of globex")
	})
}

// TestLinksOfTheDeleted: a link dies with its tenant.
func TestLinksOfTheDeleted(t *testing.T) {
	s := start(t, "row")
	id, a := s.admit("acme")
	s.want(204, a, "PUT", "/v1/files/plan", "of acme")
	read, write := s.link(a, "GET", "plan", 600), s.link(a, "PUT", "plan", 600)
	s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
	s.admit("acme")
	s.opens(read, 404, "")
	s.want(404, "", "PUT", write, "x")
}

// TestTamperedLinks: a link in which any part was changed answers like one that never was, and so does one that anybody else has signed.
func TestTamperedLinks(t *testing.T) {
	s := start(t, "rls")
	idA, a := s.admit("acme")
	idB, b := s.admit("globex")
	for token, of := range map[string]string{a: "acme", b: "globex"} {
		s.want(204, token, "PUT", "/v1/files/plan", "of "+of)
		s.want(204, token, "PUT", "/v1/files/secret", "secret of "+of)
	}
	url := s.link(b, "GET", "plan", 600)
	parsed := func(url string) (content map[string]any, mark string) {
		encoded, mark, _ := strings.Cut(strings.TrimPrefix(url, "/v1/links/"), ".")
		data, err := base64.RawURLEncoding.DecodeString(encoded)
		if err == nil {
			err = json.Unmarshal(data, &content)
		}
		if err != nil {
			t.Fatal(err)
		}
		return content, mark
	}
	content, mark := parsed(url)
	inA, markA := parsed(s.link(a, "GET", "plan", 600))
	if content["tenant"] != idB || content["path"] != "plan" || content["method"] != "GET" || len(content) != 6 {
		t.Fatalf("it says %v", content)
	}
	_, nothing := s.do("", "GET", "/v1/links/nothing", nil)
	refused := func(what, method, token string) {
		t.Helper()
		if status, body := s.do("", method, "/v1/links/"+token, nil); status != 404 || body != nothing {
			t.Errorf("%s answers %d %s", what, status, body)
		}
	}
	put := func(content map[string]any) string {
		return base64.RawURLEncoding.EncodeToString([]byte(asText(content)))
	}
	changes := map[string]any{
		"tenant": idA, "path": "secret", "method": "PUT", "expires": time.Now().Add(time.Hour).Unix(), "session": inA["session"], "version": inA["version"],
	}
	for name, value := range changes {
		changed := maps.Clone(content)
		changed[name] = value
		refused(name, map[string]string{"method": "PUT"}[name]+map[bool]string{true: "GET"}[name != "method"], put(changed)+"."+mark)
		delete(changed, name)
		refused("no "+name, "GET", put(changed)+"."+mark)
	}
	foreign := signing.NewLinks(time.Now).Sign(signing.Link{
		Tenant: tenant.ID(idB), Path: "plan", Version: content["version"].(string), Method: "GET", Expires: time.Now().Add(time.Hour).Unix(),
		Session: content["session"].(string),
	})
	refused("another's seal", "GET", foreign)
	refused("the mark of another link", "GET", put(content)+"."+markA)
	token := strings.TrimPrefix(url, "/v1/links/")
	for _, bad := range []string{"", ".", "x.", "." + mark, put(content), put(content) + ".", token + "A", token + "%00", strings.ToUpper(token), token[:len(token)-1], "%ff"} {
		refused(fmt.Sprintf("%q", bad), "GET", bad+map[bool]string{true: "nothing"}[bad == ""])
	}
	s.opens(url, 200, "of globex")
	bad := func(status int, body map[string]any) {
		t.Helper()
		s.want(status, a, "POST", "/v1/links", body)
	}
	for _, seconds := range []any{0, -1, 3601, "60", 1e30} {
		bad(400, map[string]any{"path": "plan", "method": "GET", "expires_in": seconds})
	}
	for _, path := range []string{"", "../plan", "a/../plan", "/plan", "a//b", `a\b`, "%2e%2e/plan", "a\x00b", strings.Repeat("a", 513)} {
		for _, method := range []string{"GET", "PUT"} {
			bad(400, map[string]any{"path": path, "method": method, "expires_in": 60})
		}
	}
	for _, method := range []string{"", "get", "DELETE", "HEAD"} {
		bad(400, map[string]any{"path": "plan", "method": method, "expires_in": 60})
	}
}

// TestLimitedLinks: who follows links draws on the limit of the tenant that made them, but for links that open nothing.
func TestLimitedLinks(t *testing.T) {
	s := start(t, "row")
	token := s.admitTo("small", "free")
	s.want(204, token, "PUT", "/v1/files/plan", "of small")
	link := s.link(token, "GET", "plan", 600)
	for range 30 {
		s.opens(link[:len(link)-2]+"xx", 404, "")
	}
	s.opens(link, 200, "of small")
	refused := 0
	for range 30 {
		if status, header, _ := s.raw("", "GET", link, nil, ""); status == http.StatusTooManyRequests && header.Get("Retry-After") != "" {
			refused++
		}
	}
	if refused == 0 {
		t.Error("thirty visits at once of a tenant whose burst is ten all passed")
	}
}

// TestLinksOnce: a link that is good for one request is spent by the first that is let in, wherever it comes, and by none that is not.
func TestLinksOnce(t *testing.T) {
	one, two := processes(t, "row")
	id, a := one.admit("acme")
	one.want(204, a, "PUT", "/v1/files/plan", "of acme")
	once := func(method, path string) string {
		return text(one.want(201, a, "POST", "/v1/links", map[string]any{"path": path, "method": method, "expires_in": 600, "once": true}), "url")
	}
	link := once("GET", "plan")
	one.want(404, "", "PUT", link, "x")
	one.want(204, one.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/suspend", nil)
	two.opens(link, 404, "")
	one.want(204, one.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/resume", nil)
	two.opens(link, 200, "of acme")
	one.opens(link, 404, "")
	two.opens(link, 404, "")
	write := once("PUT", "inbox")
	one.want(204, "", "PUT", write, "first")
	two.want(404, "", "PUT", write, "second")
	if _, body := one.do(a, "GET", "/v1/files/inbox", nil); body != "first" {
		t.Errorf("it holds %s", body)
	}
	one.want(400, a, "POST", "/v1/links", map[string]any{"path": "plan", "method": "GET", "expires_in": 60, "once": true, "store": true})
	var all sync.WaitGroup
	var won atomic.Int32
	crowded := once("GET", "plan")
	for i := range 8 {
		s := []*service{one, two}[i%2]
		all.Go(func() {
			if status, _, err := s.try("", "GET", crowded, nil); err == nil && status == 200 {
				won.Add(1)
			}
		})
	}
	if all.Wait(); won.Load() != 1 {
		t.Errorf("%d of those who came at once were let in", won.Load())
	}
}
