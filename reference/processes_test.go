package reference_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/monitor"
	"github.com/partywall/partywall/reference/signing"
)

// processes are two of one service: they share what they stand on and their secret, and nothing else.
func processes(t *testing.T, strategy string, edits ...func(*reference.Parts)) (one, two *service) {
	t.Helper()
	template, err := reference.Template(strategy)
	if err != nil {
		t.Fatal(err)
	}
	base, secret := backingtest.Service(t, template), make([]byte, reference.SecretSize)
	_, _ = rand.Read(secret) // it never fails
	cfg := reference.Config{Strategy: strategy, HashCost: bcrypt.MinCost, Secret: secret}
	return assembled(t, cfg, base, edits...), assembled(t, cfg, base, edits...)
}

// TestProcesses: what one process hands out the other honours, and what one takes back the other refuses.
func TestProcesses(t *testing.T) {
	for _, strategy := range []string{"row", "hybrid"} {
		t.Run(strategy, func(t *testing.T) {
			one, two := processes(t, strategy)
			_, login := one.newcomer("acme")
			session, other := login(), login()
			a := text(session, "token")
			mine := one.document(a, "mine")
			one.document(a, "more")
			two.want(200, a, "GET", "/v1/documents/"+mine, nil)
			if _, b := two.admit("globex"); !strings.Contains(text(one.want(200, b, "GET", "/v1/whoami", nil), "user"), "alice") {
				t.Error("a tenant that one process admitted is strange to the other")
			}
			cursor := text(one.want(200, a, "GET", "/v1/documents?limit=1", nil), "next")
			two.want(200, a, "GET", "/v1/documents?limit=1&cursor="+cursor, nil)

			one.want(204, a, "PUT", "/v1/files/plan", "of acme")
			two.opens(one.link(a, "GET", "plan", 600), 200, "of acme")

			key := one.key(a, "import", everyScope)
			signed := one.authorization(key, signing.Call{Method: "GET", Target: "/v1/documents"})
			if status, body := two.presented(signed, "GET", "/v1/documents", ""); status != 200 {
				t.Errorf("a signed request answers %d %s", status, body)
			}
			if status, _ := one.presented(signed, "GET", "/v1/documents", ""); status != 401 {
				t.Errorf("spent at the one, at the other it answers %d", status)
			}

			hook := text(one.want(201, a, "POST", "/v1/webhooks", map[string]string{"url": "http://127.0.0.1:9", "event": "documents"}), "id")
			two.want(200, a, "POST", "/v1/webhooks/"+hook+"/ping", nil) // its secret opens: what it says is that the address is not public

			one.want(204, a, "POST", "/v1/logout", nil)
			for _, s := range []*service{one, two} {
				s.want(401, a, "GET", "/v1/whoami", nil)
				s.refresh(401, session["refresh_token"])
				s.want(200, text(other, "token"), "GET", "/v1/whoami", nil)
			}
		})
	}
}

// TestProcessesWork: a job that one process queued another does, with the tenant's own keys.
func TestProcessesWork(t *testing.T) {
	idle := true // the first of them
	one, two := processes(t, "row", func(p *reference.Parts) {
		if idle {
			p.API.Jobs.Workers = 0
		}
		idle = false
	})
	_, a := one.admit("acme")
	one.document(a, "mine")
	if files := two.content(a, one.exported(a)); !strings.Contains(files["documents.json"], "mine") {
		t.Errorf("the export holds %v", files)
	}
}

// TestProcessesEndStreams: a session that ended at one process ends its streams at another, at their next check.
func TestProcessesEndStreams(t *testing.T) {
	one, two := processes(t, "row", func(p *reference.Parts) {
		if p.API.Heartbeat > api.StreamRevocationBound {
			t.Errorf("a heartbeat every %s does not keep the bound of %s", p.API.Heartbeat, api.StreamRevocationBound)
		}
		p.API.Heartbeat = 20 * time.Millisecond
	})
	_, a := one.admit("acme")
	stream := two.following(a, "")
	stream.until(t, one.document(a, "heard of at the other"))
	one.want(204, a, "POST", "/v1/logout", nil)
	stream.ended()
}

// TestProcessesNotice: attempts are counted together, wherever they are made.
func TestProcessesNotice(t *testing.T) {
	var mu sync.Mutex
	alerts := 0
	one, two := processes(t, "row", func(p *reference.Parts) {
		p.Monitor.Alarms = append(p.Monitor.Alarms, func(context.Context, monitor.Alert) error {
			mu.Lock()
			defer mu.Unlock()
			alerts++
			return nil
		})
	})
	_, a := one.admit("acme")
	_, b := two.admit("globex")
	foreign := one.document(b, "theirs")
	for i, s := range []*service{one, two, one, two} {
		for _, p := range []*service{one, two} {
			if err := p.parts.Monitor.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		mu.Lock()
		if alerts != i/3 {
			t.Fatalf("after %d attempts there are %d alerts", i, alerts)
		}
		mu.Unlock()
		s.want(404, a, "GET", "/v1/documents/"+foreign, nil)
	}
}

// TestSecret: without one, or with another, nothing that was handed out is honoured; one that is too short is refused.
func TestSecret(t *testing.T) {
	template, err := reference.Template("row")
	if err != nil {
		t.Fatal(err)
	}
	base := backingtest.Service(t, template)
	cfg := reference.Config{HashCost: bcrypt.MinCost, Secret: bytes.Repeat([]byte{1}, reference.SecretSize)}
	one := assembled(t, cfg, base)
	_, a := one.admit("acme")
	one.document(a, "one")
	one.document(a, "two")
	one.want(204, a, "PUT", "/v1/files/plan", "of acme")
	link, key := one.link(a, "GET", "plan", 600), one.key(a, "x", everyScope)
	for name, secret := range map[string][]byte{"none": nil, "another": bytes.Repeat([]byte{2}, reference.SecretSize)} {
		cfg.Secret = secret
		stranger := assembled(t, cfg, base)
		stranger.want(401, a, "GET", "/v1/whoami", nil)
		stranger.want(404, "", "GET", link, nil)
		stranger.want(401, one.parts.API.OperatorKey, "GET", "/metrics", nil)
		if status, _ := stranger.signed(key, "GET", "/v1/documents", ""); status != 401 {
			t.Errorf("with the secret %s a signed request answers %d", name, status)
		}
	}
	cfg.Secret = make([]byte, reference.SecretSize-1)
	if _, err := reference.Assemble(cfg, base); err == nil || err.Error() != "the secret of the service has at least 32 bytes, not 31" {
		t.Errorf("a short secret: %v", err)
	}
	if seen := one.keys(); len(seen) < 5 {
		t.Errorf("of the keys only %d differ", len(seen))
	}
}

// keys that can be told apart from outside: no two purposes share one.
func (s *service) keys() map[string]bool {
	a := s.parts.API
	return map[string]bool{
		a.OperatorKey: true, a.Seal.Mark("x"): true, a.Linked.Seal.Mark("x"): true, string(a.Requests.Secret("x", "x")): true, string(s.parts.Keys.Public()): true,
	}
}
