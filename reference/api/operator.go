package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
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
		operators("POST /admin/tenants/{id}/offboard", a.offboard),
		operators("DELETE /admin/tenants/{id}/offboard", a.turned(a.Lifecycle.Keep)),
		operators("GET /admin/tenants/{id}/archive", a.readArchive),
		operators("GET /admin/tenants/{id}/history", a.readHistory),
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
		// Its digest tells one key from the next, and nothing about it.
		next.ServeHTTP(w, r.WithContext(tenant.NewOperator(r.Context(), "key "+hex.EncodeToString(want[:4]))))
		return nil
	})
}

// Slugs are the names that tenants may have: no two of them are one to who folds case or replaces dashes.
var Slugs = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

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
	if !a.Slugs.MatchString(in.Slug) || in.Name != "" && !plausible(in.Name, 200) || len(in.Users) == 0 || len(in.Users) > 100 {
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
		"id": t.ID, "slug": t.Slug, "name": t.Name, "tier": t.Tier, "status": t.Status, "moving_to": t.Moving, "delete_after": t.DeleteAfter,
	})
}

// MaxRetention is how long an offboarded tenant may be kept, in days; usualRetention is how long it is.
const (
	MaxRetention   = 3650
	usualRetention = 30
)

func (a *api) offboard(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Days *int `json:"retain_days"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	days := usualRetention
	if in.Days != nil {
		days = *in.Days
	}
	if days < 0 || days > MaxRetention {
		return fmt.Errorf("%w: a tenant is kept for 0 to %d days", ErrInput, MaxRetention)
	}
	if err := a.Lifecycle.Offboard(r.Context(), tenant.ID(r.PathValue("id")), days); err != nil {
		return err
	}
	return a.readTenant(w, r)
}

func (a *api) readArchive(w http.ResponseWriter, r *http.Request) error {
	content, size, err := a.Lifecycle.OpenArchive(r.Context(), tenant.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return a.download(w, r, content, size)
}

// readHistory shows the life of a tenant, also of one that is deleted.
func (a *api) readHistory(w http.ResponseWriter, r *http.Request) error {
	events, err := a.Tenants.History(r.Context(), tenant.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(events, nil))
}
