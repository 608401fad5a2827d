package api

import (
	"fmt"
	"net/http"
	"strings"
)

func (a *api) memberRoutes() []route {
	return []route{
		admins("GET /v1/members", a.listMembers),
		admins("PATCH /v1/members/{email}", a.changeMember),
		admins("DELETE /v1/members/{email}", a.removeMember),
		admins("DELETE /v1/members/{email}/sessions", a.endSessionsOf),
		admins("DELETE /v1/sessions", a.endSessions),
		operators("DELETE /admin/tenants/{id}/sessions", a.endSessionsAt),
	}
}

// checkMember refuses what can be no user: nobody becomes an operator, a visitor or anything else by being given that role.
func checkMember(email, role string) error {
	if !plausible(email, 320) || !strings.Contains(email, "@") || role != "admin" && role != "member" {
		return fmt.Errorf("%w: a user has an e-mail and the role admin or member", ErrInput)
	}
	return nil
}

func (a *api) listMembers(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	members, err := a.Users.List(r.Context(), limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(members, nil))
}

// changeMember gives a member another role. The tokens that state the old one are refused from now on: see RevocationBound.
func (a *api) changeMember(w http.ResponseWriter, r *http.Request) error {
	email, err := named(r, "email")
	if err != nil {
		return err
	}
	var in struct {
		Role string `json:"role"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := checkMember("@", in.Role); err != nil {
		return err
	}
	member, err := a.Users.SetRole(r.Context(), email, in.Role)
	if err != nil {
		return err
	}
	return a.changed(w, r, "member.change", email, member)
}

// removeMember ends the member's sessions with it.
func (a *api) removeMember(w http.ResponseWriter, r *http.Request) error {
	email, err := named(r, "email")
	if err != nil {
		return err
	}
	if err := a.Users.Remove(r.Context(), email); err != nil {
		return err
	}
	return a.gone(w, r, "member.remove", email)
}
