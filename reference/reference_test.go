package reference_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// service is a running reference service with its parts.
type service struct {
	t     *testing.T
	parts *reference.Parts
	url   string
}

func start(t *testing.T, strategy string) *service {
	t.Helper()
	template, err := reference.Template(strategy)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := reference.Assemble(reference.Config{Strategy: strategy, HashCost: bcrypt.MinCost}, backingtest.Service(t, template))
	if err != nil {
		t.Fatal(err)
	}
	handler, err := reference.New(t.Context(), parts)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &service{t, parts, server.URL}
}

// do sends a request and returns status and body. body may be a string (raw) or any JSON value.
func (s *service) do(token, method, path string, body any) (int, string) {
	s.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		reader = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, reader)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(data)
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

// TestChain: no route of tenants answers without a token, and no tenant's token opens the admin API.
func TestChain(t *testing.T) {
	s := start(t, "rls")
	_, token := s.admit("acme")
	for _, pattern := range api.Routes() {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{id}", "x", "{name...}", "x", "{path...}", "x").Replace(path)
		for _, bad := range []string{"", "x", token + "x", token[:len(token)-4]} {
			if status, _ := s.do(bad, method, path, nil); status != 401 {
				t.Errorf("%s with the token %q answers %d", pattern, bad, status)
			}
		}
	}
	s.want(401, token, "POST", "/admin/tenants", map[string]any{})
	s.want(401, token, "DELETE", "/admin/tenants/x", nil)
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

// TestDeletedTenant: nothing of a deleted tenant is reachable or left, and its name may be used again.
func TestDeletedTenant(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, token := s.admit("acme")
		s.want(200, token, "PUT", "/v1/preferences/x", map[string]string{"value": "v"})
		s.want(200, token, "GET", "/v1/preferences/x", nil)
		s.want(204, token, "PUT", "/v1/files/x", "v")
		s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": "a", "title": "b", "body": "c"})
		s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
		s.want(404, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
		s.want(401, token, "GET", "/v1/files/x", nil)
		for _, table := range []string{"users", "documents", "preferences"} {
			var n int
			if err := s.parts.Service.Owner.QueryRow(t.Context(), `select count(*) from `+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s still holds %d rows, %v", table, n, err)
			}
		}
		if keys, err := s.parts.Service.Redis.Keys(t.Context(), "t:*").Result(); err != nil || len(keys) != 0 {
			t.Errorf("the cache still holds %q, %v", keys, err)
		}
		for o := range s.parts.Service.S3.ListObjects(t.Context(), s.parts.Service.Bucket, minio.ListObjectsOptions{Recursive: true}) {
			t.Errorf("the bucket still holds %s, %v", o.Key, o.Err)
		}
		_, successor := s.admit("acme")
		s.want(404, successor, "GET", "/v1/files/x", nil)
	})
}

// TestPartsWantATenant: no part works without a tenant in the context.
func TestPartsWantATenant(t *testing.T) {
	s := start(t, "rls")
	ctx, p := context.Background(), s.parts
	_, get := p.API.Documents.Get(ctx, "x")
	_, _, list := p.API.Documents.List(ctx, "", 1)
	_, preference := p.API.Preferences.Get(ctx, "x")
	_, trail := p.API.Audit.List(ctx, 1)
	_, _, user := p.API.Users.Get(ctx, "x")
	_, _, hit := p.Cache.Get(ctx, "n", "x")
	_, _, file := p.API.Files.Get(ctx, "x")
	_, files := p.API.Files.List(ctx, 1)
	for name, err := range map[string]error{
		"get": get, "list": list, "delete": p.API.Documents.Delete(ctx, "x"), "preference": preference, "audit": trail, "user": user,
		"cache": hit, "file": file, "files": files, "limiter": p.API.Allow(ctx),
	} {
		if !errors.Is(err, tenant.ErrMissing) {
			t.Errorf("%s without a tenant: %v", name, err)
		}
	}
}

// TestRowSecurityStandsAlone: with statements that name no tenant, the policies still hold.
func TestRowSecurityStandsAlone(t *testing.T) {
	s := start(t, "rls")
	s.parts.DB.Statements[store.DocumentList] = `select id, slug, title, body, created_at, updated_at, count(*) over () from documents
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

func TestLimitedTenant(t *testing.T) {
	s := start(t, "row")
	made := s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants", map[string]any{
		"slug": "small", "tier": "free", "users": []any{map[string]string{"email": "a@example.com", "role": "admin"}},
	})
	user := made["users"].([]any)[0].(map[string]any)
	token := s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": "small", "email": "a@example.com", "password": user["password"]})["token"].(string)
	_, other := s.admit("acme")
	refused := 0
	for range 15 {
		if status, _ := s.do(token, "GET", "/v1/whoami", nil); status == http.StatusTooManyRequests {
			refused++
		}
		s.want(200, other, "GET", "/v1/whoami", nil)
	}
	if refused == 0 {
		t.Error("fifteen requests at once of a tenant whose burst is ten all passed")
	}
}
