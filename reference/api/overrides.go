package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// MaxOverride is the longest time that an operator can be let in for.
const MaxOverride = time.Hour

func (a *api) overrideRoutes() []route {
	return []route{
		operators("POST /admin/tenants/{id}/override", a.grantOverride),
		operators("DELETE /admin/tenants/{id}/override/{override}", a.revokeOverride),
		admins("GET /v1/overrides", a.listOverrides),
	}
}

// at lets an operator act on the tenant in the path, which passes the same gate as its own users.
func (a *api) at(r *http.Request) (context.Context, func(), error) {
	return a.enter(r.Context(), tenant.Identity{Tenant: tenant.ID(r.PathValue("id")), User: "operator", Role: "operator"})
}

// grantOverride answers with a token that acts for one tenant, and only after this stands in that tenant's trail.
func (a *api) grantOverride(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Reason  string `json:"reason"`
		Minutes int    `json:"minutes"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	most := int(MaxOverride.Minutes())
	in.Reason = strings.TrimSpace(in.Reason)
	if !plausible(in.Reason, 500) || in.Minutes < 1 || in.Minutes > most {
		return fmt.Errorf("%w: an override needs a reason, of at most 500 bytes, and 1 to %d minutes", ErrInput, most)
	}
	ctx, leave, err := a.at(r)
	if err != nil {
		return err
	}
	defer leave()
	granted, err := a.Overrides.Grant(ctx, in.Reason, time.Duration(in.Minutes)*time.Minute)
	if err != nil {
		return err
	}
	until := granted.Until.UTC().Format(time.RFC3339)
	if err := a.Audit.Append(ctx, "override.grant", granted.ID+" until "+until+": "+in.Reason); err != nil {
		return err
	}
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	token, err := a.Sign(tenant.Identity{Tenant: id.Tenant, User: granted.Operator, Role: tenant.Support, Override: granted})
	if err != nil {
		return err
	}
	return respond(w, http.StatusCreated, map[string]any{"id": granted.ID, "token": token, "expires_at": until})
}

func (a *api) revokeOverride(w http.ResponseWriter, r *http.Request) error {
	override, err := named(r, "override")
	if err != nil {
		return err
	}
	ctx, leave, err := a.at(r)
	if err != nil {
		return err
	}
	defer leave()
	if err := a.Overrides.Revoke(ctx, override); err != nil {
		return err
	}
	return a.gone(w, r.WithContext(ctx), "override.revoke", override)
}

// listOverrides shows a tenant who is let in at the moment; who was stands in its trail.
func (a *api) listOverrides(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	standing, err := a.Overrides.List(r.Context(), limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(standing, nil))
}

// overridden records what an operator does by an override, refused or not, before it is done, and lets it read only. What cannot be
// recorded does not happen.
func (a *api) overridden(ctx context.Context, id tenant.Identity, r *http.Request) error {
	if id.Override.ID == "" {
		return nil
	}
	if err := a.Audit.Append(ctx, "override.use", r.Method+" "+r.URL.EscapedPath()); err != nil {
		return err
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return store.ErrForbidden
	}
	return nil
}
