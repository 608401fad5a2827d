package reference_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
)

// entries of the service's log.
type entries struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (e *entries) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.buf.Write(p)
}

func (e *entries) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.buf.String()
}

// requests are the entries of the access log.
func (e *entries) requests(t *testing.T) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(e.text()) {
		entry := map[string]any{}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(line, err)
		}
		if entry["msg"] == "a request" {
			all = append(all, entry)
		}
	}
	return all
}

func (e *entries) plug(p *reference.Parts) { p.Log.Next = slog.NewJSONHandler(e, nil) }

// TestAccessLog: every request has an entry that says for whom, by which route and with what outcome, and nothing that the client
// has sent.
func TestAccessLog(t *testing.T) {
	log := &entries{}
	s := start(t, "row", log.plug)
	id, token := s.admit("acme")
	doc := s.document(token, "canary-in-a-body")
	s.want(200, token, "GET", "/v1/documents?q=canary-in-a-query", nil)
	s.want(404, token, "GET", "/v1/documents/canary-in-a-path", nil)
	s.want(401, token+"x", "GET", "/v1/documents/"+doc, nil)
	share := s.want(201, token, "POST", "/v1/documents/"+doc+"/shares", map[string]any{"expires_in": 60})["token"].(string)
	s.want(200, "", "GET", "/v1/shared/"+share, nil)
	s.want(404, "", "GET", "/nowhere/canary-in-nothing", nil)
	s.want(405, "", "CANARY", "/healthz", nil)
	all := log.requests(t)
	for i, want := range []struct {
		route, user string
		status      float64
	}{
		{"/admin/tenants", "", 201},
		{"/v1/login", "alice@example.com", 200},
		{"/v1/documents", "alice@example.com", 201},
		{"/v1/documents", "alice@example.com", 200},
		{"/v1/documents/{id}", "alice@example.com", 404},
		{"/v1/documents/{id}", "", 401},
		{"/v1/documents/{document}/shares", "alice@example.com", 201},
		{"/v1/shared/{token}", "visitor", 200},
		{"", "", 404},
		{"", "", 405},
	} {
		got := all[i]
		user, _ := got["user"].(string)
		if got["route"] != want.route || got["status"] != want.status || user != want.user || (user != "") != (got["tenant"] == id) {
			t.Errorf("want %v, got %v", want, got)
		}
		if got["request"] == nil || got["ip"] != "127.0.0.1" || got["method"] == "CANARY" {
			t.Errorf("it writes %v", got)
		}
	}
	for _, secret := range []string{"canary", "CANARY", token, share, s.parts.API.OperatorKey} {
		if strings.Contains(log.text(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

// TestForwarded: the address of a client is what a trusted proxy says, and never what the client says.
func TestForwarded(t *testing.T) {
	var seen atomic.Value
	watch := func(trusted ...string) *service {
		return start(t, "row", func(p *reference.Parts) {
			for _, one := range trusted {
				p.API.Proxies = append(p.API.Proxies, netip.MustParsePrefix(one))
			}
			p.API.Watch = append(p.API.Watch, func(_ context.Context, v api.Visit) { seen.Store(v.IP) })
		})
	}
	for _, tc := range []struct{ trusted, told, want string }{
		{"", "203.0.113.9", "127.0.0.1"},
		{"127.0.0.0/8", "203.0.113.9", "203.0.113.9"},
		{"127.0.0.0/8", "198.51.100.7, 203.0.113.9", "203.0.113.9"}, // the first was there when the request reached the proxy
		{"127.0.0.0/8", "203.0.113.9, 127.0.0.5", "203.0.113.9"},
		{"127.0.0.0/8", "nonsense", "127.0.0.1"},
		{"127.0.0.0/8", "", "127.0.0.1"},
		{"10.0.0.0/8", "203.0.113.9", "127.0.0.1"},
	} {
		var s *service
		if tc.trusted == "" {
			s = watch()
		} else {
			s = watch(tc.trusted)
		}
		s.raw("", "GET", "/healthz", http.Header{"X-Forwarded-For": {tc.told}}, "")
		if seen.Load() != tc.want {
			t.Errorf("trusting %q, told %q, it sees %q, want %q", tc.trusted, tc.told, seen.Load(), tc.want)
		}
	}
}
