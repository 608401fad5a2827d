package reference_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/monitor"
)

// TestNoticed: who reaches for another tenant's objects is noticed at the third attempt, by whatever way; who errs is not.
func TestNoticed(t *testing.T) {
	for name, attempt := range map[string]func(s *service, token, foreign, other, cursor string){
		"an object": func(s *service, token, foreign, _, _ string) {
			s.want(404, token, "GET", "/v1/documents/"+foreign, nil)
		},
		"a change": func(s *service, token, foreign, _, _ string) {
			s.want(404, token, "DELETE", "/v1/documents/"+foreign, nil)
		},
		"a header": func(s *service, token, _, other, _ string) {
			s.raw(token, "GET", "/v1/documents", http.Header{"X-Tenant-Id": {other}}, "")
		},
		"a parameter": func(s *service, token, _, other, _ string) {
			s.want(200, token, "GET", "/v1/whoami?tenant_id="+other, nil)
		},
		"a cursor": func(s *service, token, _, _, cursor string) {
			s.want(400, token, "GET", "/v1/documents?limit=1&cursor="+cursor, nil)
		},
		"a forged token": func(s *service, token, _, _, _ string) {
			s.want(401, token[:len(token)-8]+"AAAAAAAA", "GET", "/v1/whoami", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var alerts []monitor.Alert
			s := start(t, "row", func(p *reference.Parts) {
				p.Monitor.Alarms = append(p.Monitor.Alarms, func(_ context.Context, a monitor.Alert) error {
					mu.Lock()
					defer mu.Unlock()
					alerts = append(alerts, a)
					return nil
				})
			})
			heard := func() int {
				if err := s.parts.Monitor.Settle(t.Context()); err != nil {
					t.Fatal(err)
				}
				mu.Lock()
				defer mu.Unlock()
				return len(alerts)
			}
			acme, a := s.admit("acme")
			globex, b := s.admit("globex")
			foreign := s.document(b, "theirs")
			s.document(b, "more")
			cursor := text(s.want(200, b, "GET", "/v1/documents?limit=1", nil), "next")
			own := s.document(a, "own")
			s.want(204, a, "DELETE", "/v1/documents/"+own, nil)
			for range 5 { // mistakes
				s.want(404, a, "GET", "/v1/documents/"+own, nil)
				s.want(404, a, "GET", "/v1/documents/"+uuid.NewString(), nil)
				s.want(404, a, "GET", "/v1/documents/nonsense", nil)
				s.raw(a, "GET", "/v1/documents", http.Header{"X-Tenant-Id": {acme}, "X-Tenant": {"acme"}}, "")
				s.want(401, "nonsense", "GET", "/v1/whoami", nil)
			}
			for i := range 4 {
				if got := heard(); got != i/3 {
					t.Fatalf("after %d attempts there are %d alerts: %+v", i, got, alerts)
				}
				attempt(s, a, foreign, globex, cursor)
			}
			if heard() != 1 || alerts[0].IP != "127.0.0.1" || name != "a forged token" && string(alerts[0].Tenant) != acme {
				t.Errorf("the alerts are %+v", alerts)
			}
			shown := s.metrics()
			if !strings.Contains(shown, "partywall_alerts_total 1") || !strings.Contains(shown, "partywall_cross_tenant_attempts_total{kind=") {
				t.Errorf("the metrics do not count them: %s", shown)
			}
		})
	}
}

func (s *service) metrics() string {
	s.t.Helper()
	status, text := s.do(s.parts.API.OperatorKey, "GET", "/metrics", nil)
	if status != 200 {
		s.t.Fatalf("the metrics answer %d %s", status, text)
	}
	return text
}

// TestMetrics: they are the operator's, and name nobody.
func TestMetrics(t *testing.T) {
	s := start(t, "row")
	id, token := s.admit("acme")
	doc := s.document(token, "one")
	s.want(404, "", "GET", "/nowhere/"+doc, nil)
	s.want(401, token, "GET", "/metrics", nil)
	shown := s.metrics()
	for _, secret := range []string{id, "acme", "alice", doc, "nowhere"} {
		if strings.Contains(shown, secret) {
			t.Errorf("the metrics hold %s", secret)
		}
	}
	for _, want := range []string{
		`partywall_requests_total{class="2xx",method="POST",route="/v1/documents"} 1`, `partywall_refusals_total{reason="unauthenticated",route="/metrics"} 1`,
		`partywall_refusals_total{reason="not found",route=""} 1`, `class="2xx",tenant="`,
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// TestHealth: it says which engine is away, not where it is, and that the process runs all the same.
func TestHealth(t *testing.T) {
	log := &entries{}
	s := start(t, "row", log.plug)
	engines, _ := s.want(200, "", "GET", "/health/ready", nil)["engines"].(map[string]any)
	if len(engines) != 3 || engines["postgres"] != "ok" || engines["redis"] != "ok" || engines["s3"] != "ok" {
		t.Errorf("the engines are %v", engines)
	}
	s = start(t, "row", log.plug, func(p *reference.Parts) {
		p.API.Probes["redis"] = func(context.Context) error { return errors.New("dial 10.0.0.7: refused") }
	})
	status, header, body := s.raw("", "GET", "/health/ready", nil, "")
	if status != 503 || header.Get("Retry-After") == "" || !strings.Contains(body, "away: redis") || strings.Contains(body, "10.0.0.7") {
		t.Errorf("it answers %d %s", status, body)
	}
	if !strings.Contains(log.text(), "10.0.0.7") {
		t.Error("the log does not say why")
	}
	s.want(200, "", "GET", "/health/live", nil)
	s.want(200, "", "GET", "/healthz", nil)
}
