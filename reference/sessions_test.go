package reference_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// later moves the clock of the service.
func (s *service) later(d time.Duration) {
	now := s.parts.Keys.Now
	s.parts.Keys.Now = func() time.Time { return now().Add(d) }
}

// newcomer admits a tenant and returns its id and a login of its admin.
func (s *service) newcomer(slug string) (id string, login func() map[string]any) {
	s.t.Helper()
	made := s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants", map[string]any{
		"slug": slug, "tier": "test", "users": []any{map[string]string{"email": "alice@example.com", "role": "admin"}},
	})
	user := made["users"].([]any)[0].(map[string]any)
	return text(made, "id"), func() map[string]any {
		s.t.Helper()
		return s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": slug, "email": user["email"], "password": user["password"]})
	}
}

func (s *service) refresh(status int, refreshToken any) map[string]any {
	s.t.Helper()
	return s.want(status, "", "POST", "/v1/token/refresh", map[string]any{"refresh_token": refreshToken})
}

// TestRefresh: a refresh token is good once and only for its own tenant; whoever comes second ends the session for both.
func TestRefresh(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, login := s.newcomer("acme")
		neighbour, theirs := s.newcomer("globex")
		first, other, foreign := login(), login(), theirs()
		if first["expires_in"] != 900.0 {
			t.Errorf("an access token is said to last %v s", first["expires_in"])
		}
		if strings.Contains(s.everything(), text(first, "refresh_token")) || strings.Contains(s.everything(), secretOf(first)) {
			t.Error("the refresh token itself is stored")
		}
		second := s.refresh(200, first["refresh_token"])
		for _, token := range []string{text(first, "token"), text(second, "token")} { // refreshing takes nothing away
			if who := s.want(200, token, "GET", "/v1/whoami", nil); who["user"] != "alice@example.com" || who["role"] != "admin" || who["tenant"] != id {
				t.Errorf("it belongs to %v", who)
			}
		}
		hexOf := func(id string) string { return strings.ReplaceAll(id, "-", "") }
		for name, bad := range map[string]any{
			"of a neighbour's tenant": hexOf(neighbour) + "." + secretOf(second), "in capitals": strings.ToUpper(text(second, "refresh_token")),
			"of no tenant": hexOf(string(tenant.New())) + "." + secretOf(second), "with the id as it is": id + "." + secretOf(second),
			"of an access token": second["token"], "without a secret": hexOf(id) + ".", "that is empty": "", "with more": text(second, "refresh_token") + "x",
		} {
			if got := s.refresh(401, bad); got["detail"] != nil {
				t.Errorf("a token %s is refused with %v", name, got)
			}
		}
		s.want(401, text(second, "refresh_token"), "GET", "/v1/whoami", nil) // it is no access token
		third := s.refresh(200, second["refresh_token"])
		s.refresh(401, first["refresh_token"]) // the thief, or the owner after the thief
		s.refresh(401, third["refresh_token"])
		for _, gone := range []map[string]any{first, second, third} {
			s.want(401, text(gone, "token"), "GET", "/v1/whoami", nil)
		}
		if trail, _ := s.want(200, text(other, "token"), "GET", "/v1/audit", nil)["items"].([]any); len(trail) != 1 ||
			trail[0].(map[string]any)["action"] != "session.reuse" {
			t.Errorf("the reuse is recorded as %v", trail)
		}
		s.refresh(200, other["refresh_token"]) // other sessions go on
		s.want(200, text(foreign, "token"), "GET", "/v1/whoami", nil)
		s.refresh(200, foreign["refresh_token"])
	})
}

// secretOf is a refresh token without its tenant.
func secretOf(login map[string]any) string {
	_, secret, _ := strings.Cut(text(login, "refresh_token"), ".")
	return secret
}

// everything is what the tables of all tenants hold, as text.
func (s *service) everything() string {
	s.t.Helper()
	var all string
	err := s.parts.Service.Owner.QueryRow(s.t.Context(), `select coalesce(string_agg(query_to_xml(
		format('select * from %I.%I', schemaname, tablename), false, true, '')::text, ''), '')
		from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`).Scan(&all)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// TestRefreshTogether: of many who spend one refresh token at once, at most one gets a successor, and the session ends.
func TestRefreshTogether(t *testing.T) {
	s := start(t, "rls")
	_, login := s.newcomer("acme")
	for range 5 {
		session := login()
		var won sync.Map
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				status, _, err := s.try("", "POST", "/v1/token/refresh", map[string]any{"refresh_token": session["refresh_token"]})
				if status == 200 {
					won.Store(i, true)
				} else if status != 401 {
					t.Errorf("it answers %d, %v", status, err)
				}
			})
		}
		all.Wait()
		winners := 0
		won.Range(func(any, any) bool { winners++; return true })
		if winners > 1 {
			t.Errorf("%d spent the same token", winners)
		}
		s.want(401, text(session, "token"), "GET", "/v1/whoami", nil)
	}
}

// TestExpiry: access tokens last fifteen minutes, sessions thirty days from their login, however often they are refreshed.
func TestExpiry(t *testing.T) {
	s := start(t, "row")
	_, login := s.newcomer("acme")
	session := login()
	s.later(signing.Lifetime - time.Minute)
	s.want(200, text(session, "token"), "GET", "/v1/whoami", nil)
	s.later(2 * time.Minute)
	s.want(401, text(session, "token"), "GET", "/v1/whoami", nil)
	session = s.refresh(200, session["refresh_token"])
	s.want(200, text(session, "token"), "GET", "/v1/whoami", nil)
	s.later(store.SessionLifetime - signing.Lifetime - 2*time.Minute) // a minute before its end
	session = s.refresh(200, session["refresh_token"])
	s.later(2 * time.Minute)
	s.want(401, text(session, "token"), "GET", "/v1/whoami", nil) // not a minute longer than its session
	s.refresh(401, session["refresh_token"])
	login()
	var left int
	if err := s.parts.Service.Owner.QueryRow(t.Context(), `select count(*) from refresh_tokens`).Scan(&left); err != nil || left != 1 {
		t.Errorf("after a login %d refresh tokens are kept, %v", left, err)
	}
}

// TestLogout: a session that was ended takes its tokens with it, at once, and no other session.
func TestLogout(t *testing.T) {
	each(t, func(_ *testing.T, s *service) {
		_, login := s.newcomer("acme")
		session, other := login(), login()
		s.want(204, text(session, "token"), "POST", "/v1/logout", nil)
		s.want(401, text(session, "token"), "GET", "/v1/whoami", nil)
		s.want(401, text(session, "token"), "POST", "/v1/logout", nil)
		s.refresh(401, session["refresh_token"])
		s.want(200, text(other, "token"), "GET", "/v1/whoami", nil)
	})
}

// TestEndSessions: admins end all sessions of a member, or of their tenant, and the operator those of a tenant: their tokens and links end
// with them, at once, and nobody else's.
func TestEndSessions(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		id, login := s.newcomer("acme")
		_, theirs := s.newcomer("globex")
		neighbour := theirs()
		gone := func(sessions ...map[string]any) {
			t.Helper()
			for _, session := range sessions {
				s.want(401, text(session, "token"), "GET", "/v1/whoami", nil)
				s.refresh(401, session["refresh_token"])
			}
			s.want(200, text(neighbour, "token"), "GET", "/v1/whoami", nil)
		}
		first, second := login(), login()
		bob := s.join(text(first, "token"), "bob@example.com")
		s.want(204, text(first, "token"), "PUT", "/v1/files/plan", "of acme")
		link := s.link(text(second, "token"), "GET", "plan", 600)
		key := s.key(text(first, "token"), "import", everyScope)
		s.want(403, text(bob, "token"), "DELETE", "/v1/members/alice@example.com/sessions", nil)
		s.want(403, text(bob, "token"), "DELETE", "/v1/sessions", nil)
		s.want(401, text(first, "token"), "DELETE", "/admin/tenants/"+id+"/sessions", nil)
		s.want(404, text(first, "token"), "DELETE", "/v1/members/nobody@example.com/sessions", nil)
		s.want(404, text(neighbour, "token"), "DELETE", "/v1/members/bob@example.com/sessions", nil)

		s.want(204, text(first, "token"), "DELETE", "/v1/members/bob@example.com/sessions", nil)
		gone(bob)
		s.opens(link, 200, "of acme")
		s.want(204, text(first, "token"), "DELETE", "/v1/sessions", nil)
		gone(first, second)
		s.want(404, "", "GET", link, nil)
		third := login()
		s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id+"/sessions", nil)
		gone(third)
		if status, body := s.by(key["key"], "GET", "/v1/documents", ""); status != 200 { // a program has no session
			t.Errorf("an API key answers %d %s", status, body)
		}
		trail := strings.Join(s.trail(text(login(), "token")), "\n")
		for _, want := range []string{"session.revoke of", "session.revoke all"} {
			if !strings.Contains(trail, want) {
				t.Errorf("the trail lacks %s: %s", want, trail)
			}
		}
	})
}

// TestForgedSession: even a token with a good signature proves nothing for a session that its tenant does not have.
func TestForgedSession(t *testing.T) {
	s := start(t, "row")
	id, login := s.newcomer("acme")
	_, theirs := s.newcomer("globex")
	own := func(login map[string]any) tenant.Identity {
		identity, err := s.parts.Keys.Verify(text(login, "token"))
		if err != nil {
			t.Fatal(err)
		}
		return identity
	}
	for name, change := range map[string]func(*tenant.Identity){
		"another tenant": func(i *tenant.Identity) { i.Tenant = tenant.ID(id) }, "another user": func(i *tenant.Identity) { i.User = "eve@example.com" },
		"another role": func(i *tenant.Identity) { i.Role = "member" }, "no session": func(i *tenant.Identity) { i.Session = "" },
		"a neighbour's session": func(i *tenant.Identity) { i.Session = own(login()).Session },
	} {
		identity := own(theirs())
		change(&identity)
		token, err := s.parts.Keys.Sign(identity)
		if err != nil {
			t.Fatal(err)
		}
		if status, body := s.do(token, "GET", "/v1/whoami", nil); status != 401 {
			t.Errorf("a token with %s answers %d %s", name, status, body)
		}
	}
}

// TestRefreshOfClosedTenant: nobody gets a token of a tenant that is not open.
func TestRefreshOfClosedTenant(t *testing.T) {
	s := start(t, "row")
	id, login := s.newcomer("acme")
	session := login()
	if err := s.parts.API.Lifecycle.Suspend(t.Context(), tenant.ID(id)); err != nil {
		t.Fatal(err)
	}
	s.refresh(401, session["refresh_token"])
	if err := s.parts.API.Lifecycle.Resume(t.Context(), tenant.ID(id)); err != nil {
		t.Fatal(err)
	}
	s.refresh(200, session["refresh_token"])
}
