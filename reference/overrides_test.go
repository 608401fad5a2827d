package reference_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// override lets the operator in at a tenant.
func (s *service) override(tenant string, minutes int) map[string]any {
	s.t.Helper()
	return s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants/"+tenant+"/override",
		map[string]any{"reason": "ticket 4711", "minutes": minutes})
}

// trail is a tenant's audit trail, oldest first, each entry as "actor action object".
func (s *service) trail(token string) (entries []string) {
	s.t.Helper()
	items, _ := s.want(200, token, "GET", "/v1/audit?limit=200", nil)["items"].([]any)
	for i := range items {
		entry, _ := items[len(items)-1-i].(map[string]any)
		entries = append(entries, text(entry, "actor")+" "+text(entry, "action")+" "+text(entry, "object"))
	}
	return entries
}

// TestOverride: an operator reads as one tenant, changes nothing, and all of it stands in that tenant's trail, and in no other.
func TestOverride(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		acme, a := s.admit("acme")
		_, b := s.admit("globex")
		doc := text(s.want(201, a, "POST", "/v1/documents", map[string]string{"slug": "plan", "title": "x", "body": "of acme"}), "id")
		foreign := text(s.want(201, b, "POST", "/v1/documents", map[string]string{"slug": "plan", "title": "x", "body": "of globex"}), "id")
		granted := s.override(acme, 15)
		support := text(granted, "token")

		if who := s.want(200, support, "GET", "/v1/whoami", nil); who["tenant"] != acme || who["role"] != tenant.Support || who["user"] != "operator" {
			t.Errorf("it acts as %v", who)
		}
		if got := s.want(200, support, "GET", "/v1/documents/"+doc, nil); got["body"] != "of acme" {
			t.Errorf("it reads %v", got)
		}
		s.want(200, support, "HEAD", "/v1/documents/"+doc, nil)
		s.want(404, support, "GET", "/v1/documents/"+foreign, nil)
		if _, list := s.do(support, "GET", "/v1/documents?q=of", nil); strings.Contains(list, "globex") {
			t.Errorf("it lists %s", list)
		}
		s.want(403, support, "DELETE", "/v1/documents/"+doc, nil)
		s.want(403, support, "GET", "/v1/members", nil)
		s.want(401, support, "POST", "/admin/tenants", map[string]any{})
		standing, _ := s.want(200, a, "GET", "/v1/overrides", nil)["items"].([]any)
		if len(standing) != 1 || standing[0].(map[string]any)["reason"] != "ticket 4711" {
			t.Errorf("the tenant sees %v", standing)
		}

		id := text(granted, "id")
		path := "/v1/documents/"
		want := []string{
			"alice@example.com document.create " + doc, "operator override.grant " + id + " until " + text(granted, "expires_at") + ": ticket 4711",
			"operator override.use GET /v1/whoami", "operator override.use GET " + path + doc, "operator override.use HEAD " + path + doc,
			"operator override.use GET " + path + foreign, "operator override.use GET /v1/documents", "operator override.use DELETE " + path + doc,
			"operator override.use GET /v1/members",
		}
		if got := s.trail(a); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("the trail is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if got := s.trail(b); len(got) != 1 {
			t.Errorf("the neighbour's trail is %q", got)
		}
		if strings.Contains(strings.Join(s.trail(a), ""), support) {
			t.Error("the token stands in the trail")
		}
	})
}

// TestOverrideEnds: by itself, by being revoked, with its tenant; and none is given without a reason, or for more than an hour.
func TestOverrideEnds(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		acme, login := s.newcomer("acme")
		globex, _ := s.newcomer("globex")
		operator := s.parts.API.OperatorKey
		revoke := func(status int, tenant string, granted map[string]any) {
			t.Helper()
			s.want(status, operator, "DELETE", "/admin/tenants/"+tenant+"/override/"+text(granted, "id"), nil)
		}
		first, second, other := s.override(acme, 15), s.override(acme, 60), s.override(globex, 60)
		revoke(404, globex, first) // it is not there
		s.want(200, text(first, "token"), "GET", "/v1/whoami", nil)
		revoke(204, acme, first)
		s.want(401, text(first, "token"), "GET", "/v1/whoami", nil)
		revoke(404, acme, first)
		s.want(200, text(second, "token"), "GET", "/v1/whoami", nil)
		s.later(time.Hour - time.Minute)
		s.want(200, text(second, "token"), "GET", "/v1/whoami", nil)
		s.later(2 * time.Minute)
		s.want(401, text(second, "token"), "GET", "/v1/whoami", nil)
		s.want(401, text(other, "token"), "GET", "/v1/whoami", nil)
		if standing, _ := s.want(200, text(login(), "token"), "GET", "/v1/overrides", nil)["items"].([]any); len(standing) != 0 {
			t.Errorf("what has expired stands: %v", standing)
		}
		for _, body := range []map[string]any{
			{"minutes": 15},
			{"reason": "", "minutes": 15},
			{"reason": " \n", "minutes": 15},
			{"reason": strings.Repeat("x", 501), "minutes": 15},
			{"reason": "x"},
			{"reason": "x", "minutes": 0},
			{"reason": "x", "minutes": -1},
			{"reason": "x", "minutes": 61},
			{"reason": "x", "minutes": 15, "operator": "somebody else"},
		} {
			s.want(400, operator, "POST", "/admin/tenants/"+acme+"/override", body)
		}
		long := strings.Repeat("x", 500)
		s.want(201, operator, "POST", "/admin/tenants/"+acme+"/override", map[string]any{"reason": " \n" + long + strings.Repeat(" ", 500), "minutes": 1})
		standing, _ := s.want(200, text(login(), "token"), "GET", "/v1/overrides", nil)["items"].([]any)
		if len(standing) != 1 || standing[0].(map[string]any)["reason"] != long || strings.Contains(s.everything(), long+" ") {
			t.Errorf("the blanks around a reason are kept: %v", standing)
		}
		last := s.override(globex, 15)
		s.want(204, operator, "DELETE", "/admin/tenants/"+globex, nil)
		s.want(403, text(last, "token"), "GET", "/v1/whoami", nil)
	})
}

// TestOverrideReadsOnly: no route but GET ones opens to an override, and of those for admins only the trail, none of those for operators.
func TestOverrideReadsOnly(t *testing.T) {
	s := start(t, "row")
	acme, _ := s.admit("acme")
	support := text(s.override(acme, 15), "token")
	for _, route := range api.Routes() {
		if route.Support && !strings.HasPrefix(route.Pattern, "GET /v1/audit") {
			t.Errorf("%s is open to overrides", route.Pattern)
		}
		method, path, _ := strings.Cut(route.Pattern, " ")
		want := map[api.Guard]int{api.Chain: 403, api.Operator: 401}[route.Guard]
		if want == 0 || route.Guard == api.Chain && method == "GET" && (route.Role == "" || route.Support) {
			continue
		}
		if status, body := s.do(support, method, regexpVariables.ReplaceAllString(path, "x"), map[string]any{}); status != want {
			t.Errorf("%s answers an override %d %s, want %d", route.Pattern, status, body, want)
		}
	}
}

// TestOverrideIsRecordedOrNot: where the trail takes no entry, nothing is granted and nothing is read.
func TestOverrideIsRecordedOrNot(t *testing.T) {
	s := start(t, "row")
	acme, _ := s.admit("acme")
	support := text(s.override(acme, 15), "token")
	s.want(200, support, "GET", "/v1/documents", nil)
	if _, err := s.parts.Service.Owner.Exec(t.Context(), `revoke insert on audit from partywall_app`); err != nil {
		t.Fatal(err)
	}
	if got := s.want(500, support, "GET", "/v1/documents", nil); got["items"] != nil {
		t.Errorf("it reads %v", got)
	}
	status, body := s.do(s.parts.API.OperatorKey, "POST", "/admin/tenants/"+acme+"/override", map[string]any{"reason": "x", "minutes": 1})
	if status != 500 || strings.Contains(body, "token") {
		t.Errorf("the grant answers %d %s", status, body)
	}
}

// TestForgedOverride: a token that speaks of an override is worth nothing where its tenant has granted none.
func TestForgedOverride(t *testing.T) {
	s := start(t, "row")
	acme, _ := s.admit("acme")
	globex, _ := s.admit("globex")
	identity, err := s.parts.Keys.Verify(text(s.override(acme, 15), "token"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*tenant.Identity){
		"another tenant": func(i *tenant.Identity) { i.Tenant = tenant.ID(globex) }, "another operator": func(i *tenant.Identity) { i.User = "eve" },
		"another id": func(i *tenant.Identity) { i.Override.ID = string(tenant.New()) }, "none": func(i *tenant.Identity) { i.Override = tenant.Override{} },
	} {
		forged := identity
		change(&forged)
		token, err := s.parts.Keys.Sign(forged)
		if err != nil {
			t.Fatal(err)
		}
		if status, body := s.do(token, "GET", "/v1/whoami", nil); status != 401 {
			t.Errorf("a token with %s answers %d %s", name, status, body)
		}
	}
}

// operatorBodies are what the operator's routes that act on one tenant take.
var operatorBodies = map[string]any{
	"PUT /admin/tenants/{id}/tier": map[string]string{"tier": "test"}, "DELETE /admin/tenants/{id}": nil,
	"POST /admin/tenants/{id}/offboard": map[string]any{"retain_days": 0}, "DELETE /admin/tenants/{id}/offboard": nil, "GET /admin/tenants/{id}/archive": nil,
	"POST /admin/tenants/{id}/suspend": nil, "POST /admin/tenants/{id}/resume": nil, "DELETE /admin/tenants/{id}/sessions": nil,
	"POST /admin/tenants/{id}/override":              map[string]any{"reason": "ticket 4711", "minutes": 15},
	"DELETE /admin/tenants/{id}/override/{override}": nil,
}

// registry has the routes that read what the service itself remembers of a tenant, also when it is gone.
var registry = map[string]bool{"GET /admin/tenants/{id}": true, "GET /admin/tenants/{id}/history": true}

// TestOperatorsPassTheTenantCheck: an operator's key opens no tenant that the registry does not know, or that is deleted: each
// route that acts on a tenant answers both alike, and leaves no trace.
func TestOperatorsPassTheTenantCheck(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		gone, _ := s.admit("acme")
		s.admit("globex")
		granted := s.override(gone, 15)
		s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+gone, nil)
		before := s.everything()
		tried := 0
		for _, route := range api.Routes() {
			method, path, _ := strings.Cut(route.Pattern, " ")
			if route.Guard != api.Operator || !strings.Contains(path, "{id}") || registry[route.Pattern] {
				continue
			}
			tried++
			body, ok := operatorBodies[route.Pattern]
			if !ok {
				t.Errorf("operatorBodies does not say what %s takes", route.Pattern)
			}
			path = strings.ReplaceAll(path, "{override}", text(granted, "id"))
			for name, id := range map[string]string{"unknown": string(tenant.New()), "deleted": gone, "nonsense": "x"} {
				status, answer := s.do(s.parts.API.OperatorKey, method, strings.ReplaceAll(path, "{id}", id), body)
				if status != 404 && status != 403 {
					t.Errorf("%s at a tenant that is %s answers %d %s", route.Pattern, name, status, answer)
				}
			}
		}
		if tried < len(operatorBodies) {
			t.Errorf("of %d routes %d were tried", len(operatorBodies), tried)
		}
		if s.everything() != before {
			t.Error("something was left")
		}
	})
}

// TestEveryWayInPassesTheGate: where the gate lets nobody pass, no route that acts for a tenant does, whoever asks.
func TestEveryWayInPassesTheGate(t *testing.T) {
	closed := errors.New("closed")
	shut := false
	s := start(t, "row", func(p *reference.Parts) {
		open := p.API.Gate
		p.API.Gate = func(ctx context.Context, id tenant.Identity) (tenant.Identity, error) {
			if shut {
				return tenant.Identity{}, errors.Join(closed, api.ErrInactive)
			}
			return open(ctx, id)
		}
	})
	acme, login := s.newcomer("acme")
	session := login()
	admin := text(session, "token")
	_, share := s.share(admin, "plan", "x")
	invitation := s.want(201, admin, "POST", "/v1/invitations", map[string]string{"email": "bob@example.com", "role": "member"})
	granted := s.override(acme, 15)
	shut = true
	operator := s.parts.API.OperatorKey
	for _, try := range []struct {
		status              int
		token, method, path string
		body                any
	}{
		{403, admin, "GET", "/v1/whoami", nil},
		{403, text(granted, "token"), "GET", "/v1/whoami", nil},
		{403, operator, "POST", "/admin/tenants/" + acme + "/override", map[string]any{"reason": "x", "minutes": 1}},
		{403, operator, "DELETE", "/admin/tenants/" + acme + "/override/" + text(granted, "id"), nil},
		{404, "", "GET", "/v1/shared/" + text(share, "token"), nil},
		{404, "", "POST", "/v1/invitations/accept", map[string]any{"token": invitation["token"], "password": password}},
		{401, "", "POST", "/v1/token/refresh", map[string]any{"refresh_token": session["refresh_token"]}},
	} {
		s.want(try.status, try.token, try.method, try.path, try.body)
	}
	shut = false
	if record, err := s.parts.API.Tenants.ByID(t.Context(), tenant.ID(acme)); err != nil || record.Status != store.Active {
		t.Fatal(record, err)
	}
	s.want(204, operator, "DELETE", "/admin/tenants/"+acme+"/override/"+text(granted, "id"), nil)
	s.want(200, "", "GET", "/v1/shared/"+text(share, "token"), nil)
	s.refresh(200, session["refresh_token"])
}
