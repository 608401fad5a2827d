package reference_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/webhooks"
)

// delivery is what a receiver of webhooks got.
type delivery struct {
	path   string
	header http.Header
	body   []byte
}

func (d delivery) what() (out api.Delivery) {
	_ = json.Unmarshal(d.body, &out) // what is not JSON says nothing
	return out
}

// receiver is a server of tenants' own.
func receiver(t *testing.T) (string, chan delivery) {
	t.Helper()
	got := make(chan delivery, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- delivery{r.URL.Path, r.Header, body}
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// hook makes a webhook for documents and returns its id and secret.
func (s *service) hook(token, url string) (id, secret string) {
	s.t.Helper()
	made := s.want(201, token, "POST", "/v1/webhooks", map[string]string{"url": url, "event": "documents"})
	return text(made, "id"), text(made, "secret")
}

// TestWebhooks: a webhook is told of its own tenant's events, signed so that no other secret verifies them.
func TestWebhooks(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.parts.API.Sender.Dial = (&net.Dialer{}).DialContext
		url, got := receiver(t)
		ids, secrets, tokens := map[string]string{}, map[string]string{}, map[string]string{}
		for _, slug := range []string{"acme", "globex"} {
			_, tokens[slug] = s.admit(slug)
			ids[slug], secrets[slug] = s.hook(tokens[slug], url+"/"+slug)
		}
		objects := map[string]bool{}
		for range 3 {
			objects["/acme "+s.document(tokens["acme"], "plan"+string(rune('a'+len(objects))))] = true
			objects["/globex "+s.document(tokens["globex"], "plan"+string(rune('a'+len(objects))))] = true
			s.want(200, tokens["acme"], "PUT", "/v1/preferences/x", map[string]string{"value": "x"}) // it did not ask for these
		}
		for range 6 {
			d := <-got
			what := d.what()
			if !objects[d.path+" "+what.Object] || what.Event != "documents" || what.Action != "create" {
				t.Errorf("%s is told of %+v", d.path, what)
			}
			delete(objects, d.path+" "+what.Object)
			for slug, secret := range secrets {
				if err := webhooks.Verify(secret, d.header, d.body, time.Now()); (err == nil) != ("/"+slug == d.path) {
					t.Errorf("what %s got, verified with the secret of %s: %v", d.path, slug, err)
				}
			}
		}
		for slug, token := range tokens {
			if out := s.want(200, token, "POST", "/v1/webhooks/"+ids[slug]+"/ping", nil); out["delivered"] != true || out["status"] != 200.0 {
				t.Errorf("a ping of %s: %v", slug, out)
			}
			if d := <-got; d.path != "/"+slug || d.what().Event != "ping" || webhooks.Verify(secrets[slug], d.header, d.body, time.Now()) != nil {
				t.Errorf("the ping of %s comes as %+v", slug, d)
			}
			for _, path := range []string{"/v1/webhooks", "/v1/webhooks/" + ids[slug], "/v1/audit"} {
				if _, body := s.do(token, "GET", path, nil); strings.Contains(body, "whsec") || strings.Contains(body, "sealed") {
					t.Errorf("%s shows the secret: %s", path, body)
				}
			}
		}
		s.want(204, tokens["acme"], "DELETE", "/v1/webhooks/"+ids["acme"], nil)
		s.document(tokens["acme"], "untold")
		last := s.document(tokens["globex"], "told")
		if d := <-got; d.path != "/globex" || d.what().Object != last {
			t.Errorf("after a deletion %s is told of %+v", d.path, d.what())
		}
	})
}

// TestWebhookRefusals: the network that the service stands in is out of reach, and only admins have webhooks.
func TestWebhookRefusals(t *testing.T) {
	s := start(t, "row")
	url, got := receiver(t)
	_, a := s.admit("acme")
	id, secret := s.hook(a, url)
	out := s.want(200, a, "POST", "/v1/webhooks/"+id+"/ping", nil)
	if out["delivered"] != false || out["reason"] != webhooks.ErrAddress.Error() || len(got) > 0 {
		t.Errorf("a ping of loopback: %v; %d arrived", out, len(got))
	}
	for _, bad := range []map[string]string{
		{"url": "file:///etc/passwd", "event": "documents"},
		{"url": "https://example.com", "event": "tenants"},
		{"url": "https://u:p@example.com", "event": "documents"},
		{"url": "https://example.com"},
	} {
		s.want(400, a, "POST", "/v1/webhooks", bad)
	}
	// Nothing in the database can be used as the secret.
	var row string
	if err := s.parts.Service.Owner.QueryRow(t.Context(), `select to_jsonb(w)::text from webhooks w`).Scan(&row); err != nil || strings.Contains(row, secret) {
		t.Errorf("the row is %s, %v", row, err)
	}
	for range 19 {
		s.hook(a, url)
	}
	s.want(409, a, "POST", "/v1/webhooks", map[string]string{"url": url, "event": "documents"})
	made := s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants", map[string]any{
		"slug": "globex", "tier": "test", "users": []any{map[string]string{"email": "bob@example.com", "role": "member"}},
	})
	user, _ := made["users"].([]any)[0].(map[string]any)
	member := text(s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": "globex", "email": "bob@example.com", "password": user["password"]}), "token")
	for _, route := range []string{"GET /v1/webhooks", "GET /v1/webhooks/" + id, "POST /v1/webhooks/" + id + "/ping", "DELETE /v1/webhooks/" + id} {
		method, path, _ := strings.Cut(route, " ")
		s.want(403, member, method, path, nil)
	}
}
