package reference_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

const password = "correct horse battery"

// join invites somebody to be a member, accepts and logs in.
func (s *service) join(admin, email string) map[string]any {
	s.t.Helper()
	invitation := s.want(201, admin, "POST", "/v1/invitations", map[string]string{"email": email, "role": "member"})
	s.want(201, "", "POST", "/v1/invitations/accept", map[string]any{"token": invitation["token"], "password": password})
	slug := s.want(200, admin, "GET", "/v1/whoami", nil)["slug"]
	return s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": slug, "email": email, "password": password})
}

var membersItem = item{
	name: "members",
	plant: func(s *service, token, secret string) map[string]string {
		email := secret + "@example.com"
		s.join(token, email)
		return map[string]string{"id": url.PathEscape(email)}
	},
	tries: []string{`PATCH /v1/members/{id} {"role":"admin"}`, "DELETE /v1/members/{id}", "DELETE /v1/members/{id}/sessions"},
	see:   []string{"/v1/members"},
}

var invitationsItem = item{
	name: "invitations",
	plant: func(s *service, token, secret string) map[string]string {
		invitation := s.want(201, token, "POST", "/v1/invitations", map[string]string{"email": "new " + secret + "@example.com", "role": "member"})
		return map[string]string{"id": text(invitation, "id"), "token": text(invitation, "token")}
	},
	tries: []string{"POST /v1/invitations/{id}/resend", "DELETE /v1/invitations/{id}"},
	see:   []string{"/v1/invitations"},
}

// TestMembers: admins manage the members of their tenant; tokens of who was removed or has another role are refused at once.
func TestMembers(t *testing.T) {
	if api.RevocationBound != 0 {
		t.Fatal("this test asks at once")
	}
	each(t, func(t *testing.T, s *service) {
		_, a := s.admit("acme")
		_, b := s.admit("globex")
		bob, theirs := s.join(a, "bob@example.com"), s.join(b, "bob@example.com")
		carol := text(s.join(a, "carol@example.com"), "token")

		if got := s.want(200, a, "PATCH", "/v1/members/bob@example.com", map[string]string{"role": "admin"}); got["role"] != "admin" {
			t.Errorf("he becomes %v", got)
		}
		s.want(401, text(bob, "token"), "GET", "/v1/whoami", nil) // it states the old role
		bob = s.refresh(200, bob["refresh_token"])
		s.want(200, text(bob, "token"), "GET", "/v1/members", nil)
		s.want(200, a, "PATCH", "/v1/members/bob@example.com", map[string]string{"role": "member"})
		s.want(401, text(bob, "token"), "GET", "/v1/members", nil)
		bob = s.refresh(200, bob["refresh_token"])
		s.want(403, text(bob, "token"), "GET", "/v1/members", nil)

		s.want(204, a, "DELETE", "/v1/members/bob@example.com", nil)
		s.want(401, text(bob, "token"), "GET", "/v1/whoami", nil)
		s.refresh(401, bob["refresh_token"])
		s.want(401, "", "POST", "/v1/login", map[string]any{"tenant": "acme", "email": "bob@example.com", "password": password})
		again := text(s.join(a, "bob@example.com"), "token")
		s.want(200, again, "GET", "/v1/whoami", nil)
		s.want(401, text(bob, "token"), "GET", "/v1/whoami", nil) // the name came back, the session did not
		s.refresh(401, bob["refresh_token"])

		s.want(200, text(theirs, "token"), "GET", "/v1/whoami", nil) // the neighbour's bob is another one
		s.refresh(200, theirs["refresh_token"])
		s.want(200, carol, "GET", "/v1/whoami", nil)

		for method, body := range map[string]any{"PATCH": map[string]string{"role": "member"}, "DELETE": nil} {
			if got := s.want(409, a, method, "/v1/members/alice@example.com", body); got["detail"] != store.ErrLastAdmin.Error() {
				t.Errorf("%s of the last admin answers %v", method, got)
			}
			s.want(404, a, method, "/v1/members/nobody@example.com", body)
		}
		for _, role := range []string{"", "operator", "support", "visitor", "Admin"} {
			s.want(400, a, "PATCH", "/v1/members/carol@example.com", map[string]string{"role": role})
			s.want(400, a, "POST", "/v1/invitations", map[string]string{"email": "eve@example.com", "role": role})
		}
		if _, body := s.do(a, "GET", "/v1/members", nil); strings.Contains(body, "hash") || strings.Contains(body, "$2") {
			t.Errorf("members are shown as %s", body)
		}
	})
}

// TestLastAdmins: an admin who is demoted or removed while the only other one is being demoted stays.
func TestLastAdmins(t *testing.T) {
	s := start(t, "row")
	id, a := s.admit("acme")
	s.join(a, "bob@example.com")
	ctx := tenant.NewContext(t.Context(), tenant.Identity{Tenant: tenant.ID(id), User: "test"})
	users, owner := s.parts.API.Users, s.parts.Service.Owner
	for name, leave := range map[string]func() error{
		"demoted": func() error { _, err := users.SetRole(ctx, "bob@example.com", "member"); return err },
		"removed": func() error { return users.Remove(ctx, "bob@example.com") },
	} {
		for _, email := range []string{"alice@example.com", "bob@example.com"} {
			if _, err := users.SetRole(ctx, email, "admin"); err != nil {
				t.Fatal(err)
			}
		}
		other, err := owner.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = other.Rollback(context.Background()) }) // where the test breaks off
		if _, err := other.Exec(t.Context(), `update users set role = 'member' where email = 'alice@example.com'`); err != nil {
			t.Fatal(err)
		}
		left := make(chan error, 1)
		go func() { left <- leave() }()
		s.until("it waits for the other, or does not", func() (waiting bool) {
			if err := other.QueryRow(t.Context(), `select exists (select from pg_locks where not granted)`).Scan(&waiting); err != nil {
				t.Fatal(err)
			}
			return waiting || len(left) > 0
		})
		if err := other.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-left; !errors.Is(err, store.ErrLastAdmin) {
			t.Errorf("the last admin was %s: %v", name, err)
		}
	}
}

// TestMembersAreNoAdmins: no route for admins opens to a member, whatever is asked for.
func TestMembersAreNoAdmins(t *testing.T) {
	s := start(t, "row")
	_, a := s.admit("acme")
	bob := text(s.join(a, "bob@example.com"), "token")
	tried := 0
	for _, route := range api.Routes() {
		if route.Role != "admin" {
			continue
		}
		tried++
		method, path, _ := strings.Cut(route.Pattern, " ")
		path = regexpVariables.ReplaceAllString(path, "bob@example.com")
		if status, body := s.do(bob, method, path, map[string]string{"email": "eve@example.com", "role": "admin"}); status != http.StatusForbidden {
			t.Errorf("%s answers a member %d %s", route.Pattern, status, body)
		}
	}
	if tried < 7 {
		t.Errorf("only %d routes are for admins", tried)
	}
}

// TestInvitations: the token of an invitation makes one user, of its own tenant, within a week, and only the newest token does.
func TestInvitations(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		_, a := s.admit("acme")
		neighbour, b := s.admit("globex")
		invite := func(token, email string) map[string]any {
			return s.want(201, token, "POST", "/v1/invitations", map[string]string{"email": email, "role": "member"})
		}
		accept := func(status int, token any) {
			t.Helper()
			s.want(status, "", "POST", "/v1/invitations/accept", map[string]any{"token": token, "password": password})
		}
		bob, theirs := invite(a, "bob@example.com"), invite(b, "bob@example.com")
		_, secret, _ := strings.Cut(text(bob, "token"), ".")
		if _, list := s.do(a, "GET", "/v1/invitations", nil); strings.Contains(list, secret) || strings.Contains(s.everything(), secret) {
			t.Error("the token is shown again, or stored")
		}
		s.want(409, a, "POST", "/v1/invitations", map[string]string{"email": "bob@example.com", "role": "admin"})
		s.want(409, a, "POST", "/v1/invitations", map[string]string{"email": "alice@example.com", "role": "member"})
		s.want(400, a, "POST", "/v1/invitations", map[string]string{"email": "nobody", "role": "member"})
		accept(404, strings.ReplaceAll(neighbour, "-", "")+"."+secret)
		accept(404, "")
		s.want(400, "", "POST", "/v1/invitations/accept", map[string]any{"token": bob["token"], "password": "short"})

		again := s.want(200, a, "POST", "/v1/invitations/"+text(bob, "id")+"/resend", nil)
		accept(404, bob["token"])
		accept(201, again["token"])
		accept(404, again["token"])
		s.want(404, a, "POST", "/v1/invitations/"+text(bob, "id")+"/resend", nil)
		s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": "acme", "email": "bob@example.com", "password": password})
		s.want(401, "", "POST", "/v1/login", map[string]any{"tenant": "globex", "email": "bob@example.com", "password": password})

		withdrawn := invite(a, "carol@example.com")
		s.want(204, a, "DELETE", "/v1/invitations/"+text(withdrawn, "id"), nil)
		accept(404, withdrawn["token"])

		dave := invite(a, "dave@example.com")
		var together sync.WaitGroup
		var won atomic.Int32
		for range 4 {
			together.Go(func() {
				status, body, err := s.try("", "POST", "/v1/invitations/accept", map[string]any{"token": dave["token"], "password": password})
				if status == 201 {
					won.Add(1)
				} else if status != 404 {
					t.Errorf("it answers %d %s, %v", status, body, err)
				}
			})
		}
		together.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of four accepted", won.Load())
		}

		s.later(store.InvitationLifetime + time.Second)
		accept(404, theirs["token"])
		login := s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": "acme", "email": "dave@example.com", "password": password})
		s.want(403, text(login, "token"), "GET", "/v1/invitations", nil)
	})
}

// TestInvitationAfterExpiry: one that has expired stands in nobody's way, and can be sent again.
func TestInvitationAfterExpiry(t *testing.T) {
	s := start(t, "row")
	_, login := s.newcomer("acme")
	invite := map[string]string{"email": "bob@example.com", "role": "member"}
	old := s.want(201, text(login(), "token"), "POST", "/v1/invitations", invite)
	s.later(store.InvitationLifetime + time.Second)
	admin := text(login(), "token")
	fresh := s.want(201, admin, "POST", "/v1/invitations", invite)
	s.want(404, admin, "POST", "/v1/invitations/"+text(old, "id")+"/resend", nil)
	s.later(store.InvitationLifetime + time.Second)
	admin = text(login(), "token")
	fresh = s.want(200, admin, "POST", "/v1/invitations/"+text(fresh, "id")+"/resend", nil)
	s.want(201, "", "POST", "/v1/invitations/accept", map[string]any{"token": fresh["token"], "password": password})
}
