package reference_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/events"
)

// follower receives a stream.
type follower struct {
	events chan events.Event // closed when the stream ends
	stop   func()
}

// until returns the objects of the events up to the one of the given object.
func (f *follower) until(t *testing.T, object string) (seen []string) {
	t.Helper()
	for e := range f.events {
		if seen = append(seen, e.Object); e.Object == object {
			return seen
		}
	}
	t.Fatalf("the stream ended with %q", seen)
	return nil
}

// ended waits until the stream is over.
func (f *follower) ended() {
	for range f.events { //nolint:revive // what comes before is not looked at
	}
	f.stop()
}

// following opens the feed of events and waits until it follows them.
func (s *service) following(token, last string) *follower {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r) //nolint:bodyclose // who reads it closes it
	if err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	if !lines.Scan() || answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("the feed answers %d %s", answer.StatusCode, lines.Text())
	}
	f := &follower{events: make(chan events.Event, 100), stop: cancel}
	go func() {
		defer close(f.events)
		defer func() { _ = answer.Body.Close() }()
		id := ""
		for lines.Scan() {
			var e events.Event
			if text, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				id = text
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &e) == nil && e.ID == id {
				f.events <- e
			}
		}
	}()
	s.t.Cleanup(cancel)
	return f
}

// listening opens a WebSocket and waits until it follows its topic.
func (s *service) listening(token, query string) *follower {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	pinged := make(chan struct{}, 1)
	conn, answer, err := websocket.Dial(ctx, s.url+"/v1/ws?"+query, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
		OnPingReceived: func(context.Context, []byte) bool {
			select {
			case pinged <- struct{}{}:
			default:
			}
			return true
		},
	})
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	f := &follower{events: make(chan events.Event, 100), stop: cancel}
	go func() {
		defer close(f.events)
		defer func() { _ = conn.CloseNow() }()
		for {
			_, data, err := conn.Read(ctx)
			if err != nil {
				return
			}
			var e events.Event
			if err := json.Unmarshal(data, &e); err != nil {
				return
			}
			f.events <- e
		}
	}()
	<-pinged
	s.t.Cleanup(cancel)
	return f
}

// document makes one and returns its id.
func (s *service) document(token, slug string) string {
	s.t.Helper()
	return text(s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": slug, "title": "x", "body": "x"}), "id")
}

// TestForeignEvents: whoever follows events gets those of its own tenant, whatever position it names.
func TestForeignEvents(t *testing.T) {
	s := start(t, "row")
	_, a := s.admit("acme")
	_, b := s.admit("globex")
	feedA, feedB, socketA, socketB := s.following(a, ""), s.following(b, ""), s.listening(a, "topic=documents"), s.listening(b, "topic=documents")
	own := map[string]bool{}
	for _, slug := range []string{"one", "two", "three"} {
		own[s.document(b, slug)] = true
		s.document(a, slug)
		s.want(200, a, "PUT", "/v1/preferences/line%0Abreak", map[string]string{"value": "x"}) // may not end an event early
	}
	lastA, lastB := s.document(a, "last"), s.document(b, "last")
	own[lastB] = true
	var ids []string
	for e := range feedA.events {
		if own[e.Object] {
			t.Errorf("the feed of a holds %+v", e)
		}
		if ids = append(ids, e.ID); e.Object == lastA {
			break
		}
	}
	if len(ids) != 7 {
		t.Errorf("the feed of a holds %d events, want 7", len(ids))
	}
	if seen := socketA.until(t, lastA); len(seen) != 4 || own[seen[0]] {
		t.Errorf("the socket of a holds %q, want four documents", seen)
	}
	for name, feed := range map[string]*follower{
		"feed": feedB, "socket": socketB, "resumed": s.following(b, "0-0"), "resumed socket": s.listening(b, "topic=documents&after=0-0"),
		"with a's first id": s.following(b, ids[0]), "with a's first id on a socket": s.listening(b, "topic=documents&after="+ids[0]),
	} {
		seen := feed.until(t, lastB)
		if len(seen) < 3 || len(seen) > 4 {
			t.Errorf("%s: b sees %q", name, seen)
		}
		for _, object := range seen {
			if !own[object] {
				t.Errorf("%s: b sees %s", name, object)
			}
		}
		feed.stop()
	}
	if seen := s.following(a, ids[5]).until(t, lastA); len(seen) != 1 {
		t.Errorf("a resumes with %q", seen)
	}
}

// TestStreamRefusals: what cannot be followed is refused before a stream begins.
func TestStreamRefusals(t *testing.T) {
	s := start(t, "row", func(p *reference.Parts) { p.API.Feed.Followers = 1 })
	_, a := s.admit("acme")
	_, b := s.admit("globex")
	s.want(404, a, "GET", "/v1/ws?topic=tenants", nil)
	s.want(404, a, "GET", "/v1/ws", nil)
	s.want(400, a, "GET", "/v1/ws?topic=files&after=x", nil)
	s.want(426, a, "GET", "/v1/ws?topic=files", nil)
	dial := func(origin string) int {
		conn, answer, err := websocket.Dial(t.Context(), s.url+"/v1/ws?topic=files", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + a}, "Origin": {origin}},
		})
		if err == nil {
			_ = conn.CloseNow()
		}
		if answer.Body != nil {
			_ = answer.Body.Close()
		}
		return answer.StatusCode
	}
	if status := dial("https://evil.example"); status != 403 {
		t.Errorf("a page of another origin is answered %d", status)
	}
	if status := dial(s.url); status != 101 {
		t.Errorf("a page of our own is answered %d", status)
	}
	s.gone("streamTopic")
	first := s.following(a, "")
	s.want(429, a, "GET", "/v1/events", nil)
	s.following(b, "").stop() // the neighbour has its own share
	first.stop()
	first.ended()
	s.gone("streamEvents")
	s.following(a, "").stop()
}

// gone waits until no goroutine is in the given function, nor in a WebSocket.
func (s *service) gone(function string) {
	s.t.Helper()
	stacks := make([]byte, 4<<20)
	s.until("no goroutine is in "+function, func() bool {
		all := string(stacks[:runtime.Stack(stacks, true)])
		return !strings.Contains(all, ")."+function+"(") && !strings.Contains(all, "websocket.(*Conn)")
	})
}

// TestStreamsEnd: a stream ends when its tenant is closed, its token or what that stands on is taken back, or the service ends, and
// nothing of it is left.
func TestStreamsEnd(t *testing.T) {
	var ahead atomic.Int64 // of the clock by which tokens expire
	const never, soon = time.Hour, 20 * time.Millisecond
	type tenant struct{ id, admin, bob string }
	ways := map[string]struct {
		heartbeat time.Duration
		end       func(s *service, of tenant)
	}{
		// The deletion waits for requests on their way: it answers because the streams were told to end.
		"the tenant is deleted": {never, func(s *service, of tenant) {
			s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+of.id, nil)
		}},
		"the tenant moves": {never, func(s *service, of tenant) {
			s.want(204, s.parts.API.OperatorKey, "PUT", "/admin/tenants/"+of.id+"/tier", map[string]string{"tier": "business"})
		}},
		"the service ends": {never, func(s *service, _ tenant) { s.parts.API.Feed.Close() }},
		"another process closes the tenant": {soon, func(s *service, of tenant) {
			if _, err := s.parts.Service.Owner.Exec(s.t.Context(), `update tenants set status = 'SUSPENDED' where id = $1`, of.id); err != nil {
				s.t.Error(err)
			}
		}},
		"the token expires":   {soon, func(*service, tenant) { ahead.Store(int64(2 * time.Hour)) }},
		"the user logs out":   {soon, func(s *service, of tenant) { s.want(204, of.bob, "POST", "/v1/logout", nil) }},
		"the user is removed": {soon, func(s *service, of tenant) { s.want(204, of.admin, "DELETE", "/v1/members/bob@example.com", nil) }},
		"the user's role changes": {soon, func(s *service, of tenant) {
			s.want(200, of.admin, "PATCH", "/v1/members/bob@example.com", map[string]string{"role": "admin"})
		}},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			ahead.Store(0)
			s := start(t, "row", func(p *reference.Parts) {
				if p.API.Heartbeat > api.StreamRevocationBound {
					t.Errorf("a heartbeat every %s does not keep the bound of %s", p.API.Heartbeat, api.StreamRevocationBound)
				}
				p.API.Heartbeat = way.heartbeat
				p.Keys.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			})
			var of tenant
			of.id, of.admin = s.admit("acme")
			of.bob = text(s.join(of.admin, "bob@example.com"), "token")
			feed, socket := s.following(of.bob, ""), s.listening(of.bob, "topic=documents")
			way.end(s, of)
			feed.ended()
			socket.ended()
			s.gone("streamEvents")
			s.gone("streamTopic")
		})
	}
}

// TestStreamsGoOn: what ends one user's streams ends those of no other, of its tenant or of its neighbour.
func TestStreamsGoOn(t *testing.T) {
	s := start(t, "row", func(p *reference.Parts) { p.API.Heartbeat = 20 * time.Millisecond })
	_, a := s.admit("acme")
	_, b := s.admit("globex")
	bob, theirs := text(s.join(a, "bob@example.com"), "token"), text(s.join(b, "bob@example.com"), "token")
	gone, alice, neighbour := s.following(bob, ""), s.following(a, ""), s.following(theirs, "")
	s.want(204, a, "DELETE", "/v1/members/bob@example.com", nil)
	gone.ended()
	alice.until(t, s.document(a, "late"))
	neighbour.until(t, s.document(b, "late"))
}
