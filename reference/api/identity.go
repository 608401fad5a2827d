package api

import (
	"errors"
	"net/http"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func (a *api) identityRoutes() []route {
	return []route{
		public("GET /.well-known/jwks.json", "the public keys by which tokens are verified", a.keySet),
		public("POST /v1/login", "who logs in has no token yet", a.login),
		public("POST /v1/token/refresh", "who refreshes has no access token that is good any more; the refresh token is the proof", a.refresh),
		tenants("POST /v1/logout", a.logout),
		tenants("GET /v1/whoami", a.whoami),
	}
}

func (a *api) keySet(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	send(w, a.KeySet())
	return nil
}

func (a *api) login(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Tenant   string `json:"tenant"`
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if len(in.Password) > 72 || !a.Slugs.MatchString(in.Tenant) || !plausible(in.Email, 320) {
		return ErrUnauthenticated
	}
	id, hash := tenant.Identity{User: in.Email}, a.nobody
	record, err := a.Tenants.BySlug(r.Context(), in.Tenant)
	if err != nil && !isNotFound(err) {
		return err
	}
	if err == nil && record.Status == store.Provisioning || record.Status == store.Offboarding {
		err = store.ErrNotFound // the room of its users may be gone, or not there yet
	}
	if err == nil {
		id.Tenant = record.ID
		role, stored, err := a.Users.Get(tenant.NewContext(r.Context(), id), in.Email)
		if err != nil && !isNotFound(err) {
			return err
		}
		if err == nil {
			id.Role, hash = role, []byte(stored)
		}
	}
	ok, err := a.matches(r.Context(), hash, in.Password)
	if err != nil {
		return err
	}
	if !ok || id.Role == "" {
		return ErrUnauthenticated
	}
	ctx, leave, err := a.enter(r.Context(), id)
	if err != nil {
		return err
	}
	defer leave()
	secret, digest := signing.NewSecret(id.Tenant)
	id.Session, err = a.Sessions.Open(ctx, id.User, digest)
	if errors.Is(err, store.ErrReference) { // the user was removed this moment
		return ErrUnauthenticated
	}
	if err != nil {
		return err
	}
	return a.tokens(w, id, secret)
}

func (a *api) whoami(w http.ResponseWriter, r *http.Request) error {
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]string{"tenant": string(id.Tenant), "slug": id.Slug, "user": id.User, "role": id.Role})
}
