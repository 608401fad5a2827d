package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// Invitations are not made idempotent: an answer that is kept would keep the token.
func (a *api) invitationRoutes() []route {
	return []route{
		admins("POST /v1/invitations", a.createInvitation),
		admins("GET /v1/invitations", a.listInvitations),
		admins("POST /v1/invitations/{id}/resend", a.resendInvitation),
		admins("DELETE /v1/invitations/{id}", a.deleteInvitation),
		public("POST /v1/invitations/accept", "who accepts has no account yet; the invitation's token is the proof", a.acceptInvitation),
	}
}

// invited answers with an invitation and its token, which is shown this once.
func (a *api) invited(w http.ResponseWriter, r *http.Request, status int, action, token string, i store.Invitation) error {
	if err := a.record(r, action, i.ID); err != nil {
		return err
	}
	return respond(w, status, struct {
		store.Invitation
		Token string `json:"token"`
	}{i, token})
}

func (a *api) createInvitation(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Email string `json:"email"`
		Role  string `json:"role"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := checkMember(in.Email, in.Role); err != nil {
		return err
	}
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	token, digest := signing.NewSecret(id.Tenant)
	invitation, err := a.Invitations.Create(r.Context(), in.Email, in.Role, digest)
	if err != nil {
		return err
	}
	return a.invited(w, r, http.StatusCreated, "invitation.create", token, invitation)
}

func (a *api) listInvitations(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	invitations, err := a.Invitations.List(r.Context(), limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(invitations, nil))
}

func (a *api) resendInvitation(w http.ResponseWriter, r *http.Request) error {
	named, err := named(r, "id")
	if err != nil {
		return err
	}
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	token, digest := signing.NewSecret(id.Tenant)
	invitation, err := a.Invitations.Renew(r.Context(), named, digest)
	if err != nil {
		return err
	}
	return a.invited(w, r, http.StatusOK, "invitation.resend", token, invitation)
}

func (a *api) deleteInvitation(w http.ResponseWriter, r *http.Request) error {
	return a.remove(w, r, "invitation.delete", a.Invitations.Delete)
}

// acceptInvitation makes the user that was invited. The password is hashed before anything is looked up, so that the time it
// takes says nothing.
func (a *api) acceptInvitation(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Token    string `json:"token"`
		Password string `json:"password"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if len(in.Password) < 12 || len(in.Password) > 72 {
		return fmt.Errorf("%w: a password has 12 to 72 bytes", ErrInput)
	}
	owner, digest, err := signing.ParseSecret(in.Token)
	if err != nil {
		return store.ErrNotFound
	}
	hash, err := a.hashed(r.Context(), in.Password)
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	ctx, leave, err := a.enter(r.Context(), tenant.Identity{Tenant: owner, User: "invitee", Role: "invitee"})
	if errors.Is(err, ErrInactive) {
		return store.ErrNotFound
	}
	if err != nil {
		return err
	}
	defer leave()
	member, err := a.Invitations.Accept(ctx, digest, string(hash))
	if err != nil {
		return err
	}
	return a.made(w, r.WithContext(ctx), "invitation.accept", member.Email, member)
}
