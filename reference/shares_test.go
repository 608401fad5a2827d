package reference_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// share makes a document with a text and a link to it.
func (s *service) share(token, slug, body string) (document string, share map[string]any) {
	s.t.Helper()
	doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": slug, "title": slug, "body": body})
	return text(doc, "id"), s.want(201, token, "POST", "/v1/documents/"+text(doc, "id")+"/shares", map[string]any{"expires_in": 3600})
}

var sharesItem = item{
	name: "shares",
	plant: func(s *service, token, secret string) map[string]string {
		document, share := s.share(token, "shared", secret)
		return map[string]string{"parent": document, "id": text(share, "id"), "token": text(share, "token")}
	},
	tries: []string{
		`POST /v1/documents/{parent}/shares {"expires_in":60}`, "GET /v1/documents/{parent}/shares",
		"DELETE /v1/documents/{parent}/shares/{id}", "DELETE /v1/documents/{own parent}/shares/{id}", "DELETE /v1/documents/{parent}/shares/{own}",
	},
	see: []string{"/v1/documents/{parent}/shares", "/v1/shared/{token}"},
}

// TestShares: a link opens one document and nothing else, until it is withdrawn, expires, or its document or tenant is gone.
func TestShares(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, a := s.admit("acme")
		neighbour, b := s.admit("globex")
		document, share := s.share(a, "plan", "of acme")
		_, theirs := s.share(b, "plan", "of globex")
		link := "/v1/shared/" + text(share, "token")
		open := func(status int) {
			t.Helper()
			got := s.want(status, "", "GET", link, nil)
			if status == 200 && (len(got) != 2 || got["title"] != "plan" || got["body"] != "of acme") {
				t.Errorf("a visitor sees %v", got)
			}
		}
		open(200)
		s.want(200, b, "GET", link, nil) // whoever holds it
		if got := s.want(200, "", "GET", "/v1/shared/"+text(theirs, "token"), nil); got["body"] != "of globex" {
			t.Errorf("the neighbour's link shows %v", got)
		}
		s.want(401, text(share, "token"), "GET", "/v1/documents/"+document, nil)
		_, secret, _ := strings.Cut(text(share, "token"), ".")
		if _, list := s.do(a, "GET", "/v1/documents/"+document+"/shares", nil); strings.Contains(list, secret) || strings.Contains(s.everything(), secret) {
			t.Error("the token is shown again, or stored")
		}
		hexOf := func(id string) string { return strings.ReplaceAll(id, "-", "") }
		_, nothing := s.do("", "GET", "/v1/shared/"+hexOf(id)+".NOTHING", nil)
		for _, bad := range []string{
			hexOf(neighbour) + "." + secret, hexOf(string(tenant.New())) + "." + secret, id + "." + secret, hexOf(id) + "." + strings.ToLower(secret),
			hexOf(id), hexOf(id) + ".", "x", "%00", text(share, "token") + "%00", text(share, "id"), a,
		} {
			if status, body := s.do("", "GET", "/v1/shared/"+bad, nil); status != 404 || body != nothing {
				t.Errorf("the link %q answers %d %s", bad, status, body)
			}
		}

		s.want(204, a, "DELETE", "/v1/documents/"+document, nil)
		open(404)
		s.want(404, a, "GET", "/v1/documents/"+document+"/shares", nil)
		s.want(200, a, "POST", "/v1/trash/"+document+"/restore", nil)
		open(200)
		s.want(204, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/suspend", nil)
		open(404)
		s.want(204, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+id+"/resume", nil)
		open(200)
		another, _ := s.share(a, "another plan", "x")
		s.want(404, a, "DELETE", "/v1/documents/"+another+"/shares/"+text(share, "id"), nil)
		open(200)
		s.want(204, a, "DELETE", "/v1/documents/"+document+"/shares/"+text(share, "id"), nil)
		open(404)
		for _, seconds := range []any{0, -1, 30*24*3600 + 1, "60", 1e30} {
			s.want(400, a, "POST", "/v1/documents/"+document+"/shares", map[string]any{"expires_in": seconds})
		}
		last := s.want(201, a, "POST", "/v1/documents/"+document+"/shares", map[string]any{"expires_in": 30 * 24 * 3600})
		s.later(30*24*time.Hour - time.Minute)
		s.want(200, "", "GET", "/v1/shared/"+text(last, "token"), nil)
		s.later(2 * time.Minute)
		s.want(404, "", "GET", "/v1/shared/"+text(last, "token"), nil)
		s.want(404, "", "GET", "/v1/shared/"+text(theirs, "token"), nil)
	})
}

// TestVisitors: whatever handler a visitor might reach, the store has one statement for it.
func TestVisitors(t *testing.T) {
	s := start(t, "row")
	id, a := s.admit("acme")
	document, _ := s.share(a, "plan", "of acme")
	ctx := tenant.NewContext(t.Context(), tenant.Identity{Tenant: tenant.ID(id), User: tenant.Visitor, Role: tenant.Visitor})
	p := s.parts.API
	_, get := p.Documents.Get(ctx, document)
	_, shares := p.Shares.List(ctx, document, 10)
	_, members := p.Users.List(ctx, 10)
	_, unknown := p.Shares.Read(ctx, "nothing")
	for name, err := range map[string]error{
		"get": get, "delete": p.Documents.Delete(ctx, document, nil), "shares": shares, "members": members, "audit": p.Audit.Append(ctx, "x", "x"),
	} {
		if !errors.Is(err, store.ErrForbidden) {
			t.Errorf("%s by a visitor: %v", name, err)
		}
	}
	if !errors.Is(unknown, store.ErrNotFound) {
		t.Errorf("a share that nobody has: %v", unknown)
	}
}

// TestLimitedVisitors: visits draw on the limit of the tenant that shared, but for links that open nothing: a stranger who knows
// a tenant's id cannot exhaust it.
func TestLimitedVisitors(t *testing.T) {
	s := start(t, "row")
	made := s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants", map[string]any{
		"slug": "small", "tier": "free", "users": []any{map[string]string{"email": "a@example.com", "role": "admin"}},
	})
	user := made["users"].([]any)[0].(map[string]any)
	login := s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": "small", "email": "a@example.com", "password": user["password"]})
	_, share := s.share(text(login, "token"), "plan", "of small")
	id := strings.ReplaceAll(text(made, "id"), "-", "")
	for range 30 {
		s.want(404, "", "GET", "/v1/shared/"+id+".NOTHING", nil)
		s.refresh(401, id+".NOTHING")
	}
	s.want(200, "", "GET", "/v1/shared/"+text(share, "token"), nil)
	refused := 0
	for range 30 {
		if status, _ := s.do("", "GET", "/v1/shared/"+text(share, "token"), nil); status == 429 {
			refused++
		}
	}
	if refused == 0 {
		t.Error("thirty visits at once of a tenant whose burst is ten all passed")
	}
}
