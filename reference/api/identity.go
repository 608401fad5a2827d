package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/tenant"
)

func (a *api) health(w http.ResponseWriter, r *http.Request) error {
	return respond(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (a *api) keySet(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, err := w.Write(a.KeySet())
	return err
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
	if len(in.Password) > 72 {
		return ErrUnauthenticated
	}
	id, hash := tenant.Identity{User: in.Email}, a.nobody
	record, err := a.Tenants.BySlug(r.Context(), in.Tenant)
	if err != nil && !isNotFound(err) {
		return err
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
	if bcrypt.CompareHashAndPassword(hash, []byte(in.Password)) != nil || id.Role == "" {
		return ErrUnauthenticated
	}
	if _, err := a.Gate(r.Context(), id); err != nil {
		return err
	}
	token, err := a.Sign(id)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"token": token, "expires_in": int(time.Hour.Seconds())})
}

func (a *api) whoami(w http.ResponseWriter, r *http.Request) error {
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]string{"tenant": string(id.Tenant), "slug": id.Slug, "user": id.User, "role": id.Role})
}

// operator guards the admin API with a key of its own: no tenant's token opens it.
func (a *api) operator(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(a.OperatorKey))
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		token, ok := bearer(r)
		got := sha256.Sum256([]byte(token))
		if !ok || a.OperatorKey == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return ErrUnauthenticated
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (a *api) admit(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Slug  string           `json:"slug"`
		Name  string           `json:"name"`
		Tier  string           `json:"tier"`
		Users []lifecycle.User `json:"users"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if !slugForm.MatchString(in.Slug) || len(in.Name) > 200 || len(in.Users) == 0 || len(in.Users) > 100 {
		return fmt.Errorf("%w: a tenant needs a slug of lower case letters, digits and dashes, and 1 to 100 users", ErrInput)
	}
	emails := map[string]bool{}
	for _, u := range in.Users {
		if !plausible(u.Email, 320) || (u.Role != "admin" && u.Role != "member") || u.Password != "" || emails[u.Email] {
			return fmt.Errorf("%w: a user needs an e-mail of its own and the role admin or member; passwords are made here", ErrInput)
		}
		emails[u.Email] = true
	}
	if in.Tier == "" {
		in.Tier = "free"
	}
	id, users, err := a.Lifecycle.Admit(r.Context(), in.Slug, in.Name, in.Tier, in.Users)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, map[string]any{"id": id, "slug": in.Slug, "users": users})
}

func (a *api) offboard(w http.ResponseWriter, r *http.Request) error {
	if err := a.Lifecycle.Delete(r.Context(), tenant.ID(r.PathValue("id"))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
