package reference_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// service is a running reference service with its parts.
type service struct {
	t       testing.TB
	parts   *reference.Parts
	handler http.Handler
	url     string
}

func start(t testing.TB, strategy string, edits ...func(*reference.Parts)) *service {
	t.Helper()
	template, err := reference.Template(strategy)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, strategy, backingtest.Service(t, template), edits...)
}

// serve starts the service on a backing.
func serve(t testing.TB, strategy string, base *backing.Service, edits ...func(*reference.Parts)) *service {
	t.Helper()
	return assembled(t, reference.Config{Strategy: strategy, HashCost: bcrypt.MinCost}, base, edits...)
}

// assembled is a service of a configuration.
func assembled(t testing.TB, cfg reference.Config, base *backing.Service, edits ...func(*reference.Parts)) *service {
	t.Helper()
	parts, err := reference.Assemble(cfg, base)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		edit(parts)
	}
	handler, err := reference.New(t.Context(), parts)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &service{t, parts, handler, server.URL}
}

// hangs is when something is taken for hanging. How long things take is measured elsewhere.
const hangs = time.Minute

// do sends a request and returns status and body. body may be a string (raw) or any JSON value.
func (s *service) do(token, method, path string, body any) (int, string) {
	s.t.Helper()
	status, text, err := s.try(token, method, path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return status, text
}

// try is do for a goroutine, which may not end a test.
func (s *service) try(token, method, path string, body any) (int, string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), hangs)
	defer cancel()
	var reader io.Reader
	if body != nil {
		reader = strings.NewReader(asText(body))
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, reader)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(data), err
}

// until asks whether something has come about, a hundred times a second, until it has.
func (s *service) until(what string, so func() bool) {
	s.t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for hang := time.After(hangs); !so(); {
		select {
		case <-poll.C:
		case <-hang:
			s.t.Fatalf("never: %s", what)
		}
	}
}

// want sends a request that must answer with a status, and returns the body's members.
func (s *service) want(status int, token, method, path string, body any) map[string]any {
	s.t.Helper()
	got, text := s.do(token, method, path, body)
	if got != status {
		s.t.Fatalf("%s %s answers %d, want %d: %s", method, path, got, status, text)
	}
	out := map[string]any{}
	_ = json.Unmarshal([]byte(text), &out) // not every answer is JSON
	return out
}

// admit makes a tenant and returns its id and the token of its admin.
func (s *service) admit(slug string) (id, token string) {
	s.t.Helper()
	made := s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants", map[string]any{
		"slug": slug, "tier": "test", "users": []any{map[string]string{"email": "alice@example.com", "role": "admin"}},
	})
	user := made["users"].([]any)[0].(map[string]any)
	login := s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": slug, "email": user["email"], "password": user["password"]})
	return made["id"].(string), login["token"].(string)
}

func each(t *testing.T, test func(*testing.T, *service)) {
	for _, strategy := range store.Strategies() {
		t.Run(strategy, func(t *testing.T) { test(t, start(t, strategy)) })
	}
}

// TestNeighbours: two tenants with the same names see their own, and of each other nothing.
func TestNeighbours(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		_, a := s.admit("acme")
		_, b := s.admit("globex")
		ids := map[string]string{}
		for _, token := range []string{a, b} {
			text := "of-" + token[len(token)-8:]
			doc := map[string]string{"slug": "plan", "title": text, "body": text}
			ids[token] = s.want(201, token, "POST", "/v1/documents", doc)["id"].(string)
			s.want(409, token, "POST", "/v1/documents", doc)
			s.want(200, token, "PUT", "/v1/preferences/ui/theme", map[string]string{"value": text})
			s.want(204, token, "PUT", "/v1/files/reports/q3.txt", text)
		}
		for _, token := range []string{a, b} {
			text := "of-" + token[len(token)-8:]
			for _, path := range []string{
				"/v1/documents/" + ids[token], "/v1/documents", "/v1/documents?q=of", "/v1/preferences/ui/theme",
				"/v1/preferences/ui/theme", "/v1/preferences", "/v1/files/reports/q3.txt",
			} {
				status, body := s.do(token, "GET", path, nil)
				if status != 200 || !strings.Contains(body, text) || strings.Count(body, "of-") != strings.Count(body, text) {
					t.Errorf("GET %s answers %d %s, want only %s", path, status, body, text)
				}
			}
		}
		change := map[string]string{"title": "changed"}
		for _, id := range []string{ids[b], "00000000-0000-4000-8000-000000000000", "nonsense", "%00", "%ff"} {
			for method, body := range map[string]any{"GET": nil, "PATCH": change, "DELETE": nil} {
				if status, text := s.do(a, method, "/v1/documents/"+id, body); status != 404 {
					t.Errorf("%s %s answers %d %s", method, id, status, text)
				}
			}
		}
		if trail := s.want(200, a, "GET", "/v1/audit", nil)["items"].([]any); len(trail) != 3 {
			t.Errorf("the trail of three changes has %d entries", len(trail))
		}
	})
}

// regexpVariables are the variables in a route's pattern.
var regexpVariables = regexp.MustCompile(`\{[^}]+\}`)

// open are the routes that need no login. One more is a decision, and stands here too.
var open = map[string]api.Guard{
	"GET /openapi.json": api.Public, "GET /healthz": api.Public, "GET /health/live": api.Public, "GET /health/ready": api.Public, "GET /.well-known/jwks.json": api.Public, "POST /v1/login": api.Public,
	"POST /v1/token/refresh": api.Public, "POST /v1/invitations/accept": api.Public, "GET /v1/shared/{token}": api.Visitors,
	"GET /v1/links/{token}": api.Linkers, "PUT /v1/links/{token}": api.Linkers,
}

// TestChain: no route of tenants answers without a token, and no tenant's token opens the admin API.
func TestChain(t *testing.T) {
	s := start(t, "rls")
	_, token := s.admit("acme")
	found := map[string]api.Guard{}
	for _, route := range api.Routes() {
		if route.Guard != api.Chain && route.Guard != api.Operator {
			if found[route.Pattern] = route.Guard; route.Reason == "" {
				t.Errorf("%s needs no login for no reason", route.Pattern)
			}
			continue
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		path = regexpVariables.ReplaceAllString(path, "x")
		for _, bad := range []string{"", "x", token + "x", token[:len(token)-4]} {
			if status, _ := s.do(bad, method, path, nil); status != 401 {
				t.Errorf("%s with the token %q answers %d", route.Pattern, bad, status)
			}
		}
	}
	if !maps.Equal(found, open) {
		t.Errorf("without a login answer %v, want %v", found, open)
	}
	s.want(401, token, "POST", "/admin/tenants", map[string]any{})
	s.want(401, token, "DELETE", "/admin/tenants/x", nil)
	for _, odd := range []string{"a\x00", "", "A B", strings.Repeat("a", 300)} {
		s.want(401, "", "POST", "/v1/login", map[string]any{"tenant": odd, "email": "alice@example.com", "password": "x"})
		s.want(401, "", "POST", "/v1/login", map[string]any{"tenant": "acme", "email": odd + "\x00", "password": "x"})
	}
}

func TestBadInput(t *testing.T) {
	s := start(t, "row")
	_, token := s.admit("acme")
	for _, tc := range []struct {
		method, path string
		body         any
	}{
		{"POST", "/v1/documents", "{"},
		{"POST", "/v1/documents", map[string]string{"slug": "a", "title": "b", "body": "c", "tenant_id": "x"}},
		{"POST", "/v1/documents", map[string]string{"slug": "a", "title": "nul\x00", "body": "c"}},
		{"POST", "/v1/documents", map[string]string{"slug": "a"}},
		{"GET", "/v1/documents?limit=0", nil},
		{"GET", "/v1/documents?q=%00", nil},
		{"PUT", "/v1/preferences/x", map[string]string{"value": ""}},
		{"PUT", "/v1/files/a%5c..%5cb", "x"},
		{"PUT", "/v1/files/a%252fb", "x"},
	} {
		if status, text := s.do(token, tc.method, tc.path, tc.body); status != 400 {
			t.Errorf("%s %s %v answers %d %s", tc.method, tc.path, tc.body, status, text)
		}
	}
}

// TestDeletedTenant: nothing of a deleted tenant is reachable, and its name may be used again. That nothing is left is in TestResidue.
func TestDeletedTenant(t *testing.T) {
	each(t, func(_ *testing.T, s *service) {
		id, token := s.admit("acme")
		s.want(200, token, "PUT", "/v1/preferences/x", map[string]string{"value": "v"})
		s.want(200, token, "GET", "/v1/preferences/x", nil)
		s.want(204, token, "PUT", "/v1/files/x", "v")
		doc := s.document(token, "a")
		s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
		s.want(404, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
		paths := []string{"/v1/files/x", "/v1/preferences/x", "/v1/documents/" + doc, "/v1/whoami"}
		for _, path := range paths {
			s.want(403, token, "GET", path, nil)
		}
		_, successor := s.admit("acme")
		for _, path := range paths[:3] {
			s.want(404, successor, "GET", path, nil)
		}
	})
}

// TestUploadDuringDeletion: an upload that began before the tenant was closed is over before its files are purged.
func TestUploadDuringDeletion(t *testing.T) {
	s := start(t, "row")
	id, token := s.admit("acme")
	body, writer := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.url+"/v1/files/late.txt", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.ContentLength = int64(len("early late"))
	r.Header.Set("Expect", "100-continue") // the body is sent once the handler reads it: then the request is on its way
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	defer client.CloseIdleConnections()
	outcomes := make(chan string, 2)
	go func() {
		answer, err := client.Do(r)
		if err != nil {
			t.Error(err)
		} else if _ = answer.Body.Close(); answer.StatusCode != 204 {
			t.Errorf("the upload answers %d", answer.StatusCode)
		}
		outcomes <- "upload"
	}()
	if _, err := io.WriteString(writer, "early "); err != nil {
		t.Fatal(err)
	}
	go func() {
		if status, text, err := s.try(s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil); status != 204 {
			t.Errorf("the deletion answers %d %s, %v", status, text, err)
		}
		outcomes <- "deletion"
	}()
	s.until("the deletion closes the tenant", func() bool {
		record, err := s.parts.API.Tenants.ByID(t.Context(), tenant.ID(id))
		return err != nil || record.Status != store.Active
	})
	if _, err := io.WriteString(writer, "late"); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	<-outcomes
	<-outcomes
	for o := range s.parts.Service.S3.ListObjects(t.Context(), s.parts.Service.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		t.Errorf("the bucket still holds %s, %v", o.Key, o.Err)
	}
}

// TestTierChange: a tenant keeps all it has when its tier changes, in whatever strategy, and its token stays good.
func TestTierChange(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, token := s.admit("acme")
		doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": "a", "title": "b", "body": "c"})["id"].(string)
		path := "/admin/tenants/" + id + "/tier"
		for _, tier := range []string{"test-schema", "test-database", "test-database", "test"} {
			s.want(204, s.parts.API.OperatorKey, "PUT", path, map[string]string{"tier": tier})
			if got := s.want(200, token, "GET", "/v1/documents/"+doc, nil); got["body"] != "c" {
				t.Errorf("on the tier %s it reads %v", tier, got)
			}
			s.want(200, token, "PATCH", "/v1/documents/"+doc, map[string]string{"title": tier})
		}
		if trail := s.want(200, token, "GET", "/v1/audit", nil)["items"].([]any); len(trail) != 5 {
			t.Errorf("the trail of five changes has %d entries", len(trail))
		}
		s.want(400, s.parts.API.OperatorKey, "PUT", path, map[string]string{"tier": "gold"})
		s.want(401, token, "PUT", path, map[string]string{"tier": "enterprise"})
		s.want(404, s.parts.API.OperatorKey, "PUT", "/admin/tenants/"+string(tenant.New())+"/tier", map[string]string{"tier": "test"})
	})
}

// TestHalfAdmitted: a tenant that could not be finished leaves its name free.
func TestHalfAdmitted(t *testing.T) {
	s := start(t, "row")
	users := s.parts.API.Lifecycle.Users
	s.parts.API.Lifecycle.Users = failing{users}
	want := map[string]any{"slug": "acme", "tier": "test", "users": []any{map[string]string{"email": "a@example.com", "role": "admin"}}}
	s.want(500, s.parts.API.OperatorKey, "POST", "/admin/tenants", want)
	s.parts.API.Lifecycle.Users = users
	s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants", want)
	want["slug"], want["tier"] = "globex", "gold"
	s.want(400, s.parts.API.OperatorKey, "POST", "/admin/tenants", want)
}

type failing struct{ store.Users }

func (failing) Create(context.Context, string, string, string) error { return errors.New("no room") }

// TestPartsWantATenant: no part works without a tenant in the context.
func TestPartsWantATenant(t *testing.T) {
	s := start(t, "rls")
	ctx, p := context.Background(), s.parts
	_, get := p.API.Documents.Get(ctx, "x")
	_, _, list := p.API.Documents.List(ctx, store.Filter{})
	_, preference := p.API.Preferences.Get(ctx, "x")
	_, trail := p.API.Audit.List(ctx, store.Span{Limit: 1})
	_, _, user := p.API.Users.Get(ctx, "x")
	_, _, hit := p.Cache.Get(ctx, "n", "x")
	_, _, file := p.API.Files.Get(ctx, "x")
	_, files := p.API.Files.List(ctx, 1)
	_, limiter := p.API.Allow(ctx)
	for name, err := range map[string]error{
		"get": get, "list": list, "delete": p.API.Documents.Delete(ctx, "x", nil), "preference": preference, "audit": trail, "user": user,
		"cache": hit, "file": file, "files": files, "limiter": limiter,
	} {
		if !errors.Is(err, tenant.ErrMissing) {
			t.Errorf("%s without a tenant: %v", name, err)
		}
	}
}

// TestRowSecurityStandsAlone: with statements that name no tenant, the policies still hold.
func TestRowSecurityStandsAlone(t *testing.T) {
	s := start(t, "rls")
	s.parts.DB.Statements[store.DocumentList] = `select ` + store.DocumentColumns + `, count(*) over () as total from documents
		where @tenant <> '' and @q = @like or true limit @limit`
	_, a := s.admit("acme")
	_, b := s.admit("globex")
	s.want(201, a, "POST", "/v1/documents", map[string]string{"slug": "a", "title": "b", "body": "c"})
	if total := s.want(200, b, "GET", "/v1/documents", nil); len(total["items"].([]any)) != 0 {
		t.Errorf("row-level security let %v pass", total)
	}
	// A connection that no tenant was set on sees nothing, before and after one was.
	var n int
	if err := s.parts.Service.App.QueryRow(t.Context(), `select count(*) from documents`).Scan(&n); err != nil || n != 0 {
		t.Errorf("without a tenant %d rows are seen, %v", n, err)
	}
}
