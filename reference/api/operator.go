package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/tenant"
)

func (a *api) operatorRoutes() []route {
	return []route{
		operators("POST /admin/tenants", a.admit),
		operators("GET /admin/tenants/{id}", a.readTenant),
		operators("PUT /admin/tenants/{id}/tier", a.changeTier),
		operators("POST /admin/tenants/{id}/suspend", a.turned(a.Lifecycle.Suspend)),
		operators("POST /admin/tenants/{id}/resume", a.turned(a.Lifecycle.Resume)),
		operators("DELETE /admin/tenants/{id}", a.turned(a.Lifecycle.Delete)),
	}
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
	if !slugForm.MatchString(in.Slug) || in.Name != "" && !plausible(in.Name, 200) || len(in.Users) == 0 || len(in.Users) > 100 {
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
	if !slices.Contains(a.Tiers, in.Tier) {
		return fmt.Errorf("%w: the tier must be one of %s", ErrInput, strings.Join(a.Tiers, ", "))
	}
	id, users, err := a.Lifecycle.Admit(r.Context(), in.Slug, in.Name, in.Tier, in.Users)
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, map[string]any{"id": id, "slug": in.Slug, "users": users})
}

func (a *api) changeTier(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Tier string `json:"tier"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if !slices.Contains(a.Tiers, in.Tier) {
		return fmt.Errorf("%w: the tier must be one of %s", ErrInput, strings.Join(a.Tiers, ", "))
	}
	if err := a.Lifecycle.ChangeTier(r.Context(), tenant.ID(r.PathValue("id")), in.Tier); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// turned handles a step of a tenant's life.
func (a *api) turned(step func(context.Context, tenant.ID) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := step(r.Context(), tenant.ID(r.PathValue("id"))); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// readTenant shows how a tenant stands.
func (a *api) readTenant(w http.ResponseWriter, r *http.Request) error {
	t, err := a.Tenants.ByID(r.Context(), tenant.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{
		"id": t.ID, "slug": t.Slug, "name": t.Name, "tier": t.Tier, "status": t.Status, "moving_to": t.Moving,
	})
}
