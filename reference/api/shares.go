package api

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// MaxShare is the longest time that a document can be shared for.
const MaxShare = 30 * 24 * time.Hour

// Shares are not made idempotent: an answer that is kept would keep the token.
func (a *api) shareRoutes() []route {
	return []route{
		tenants("POST /v1/documents/{document}/shares", a.createShare),
		tenants("GET /v1/documents/{document}/shares", a.listShares),
		tenants("DELETE /v1/documents/{document}/shares/{id}", a.deleteShare),
		visitors("GET /v1/shared/{token}", "the link is the proof; it opens one document, for reading, until it expires", a.readShared),
	}
}

// visitor guards what a share's token opens. Tokens that open nothing all look the same, whatever the reason, and draw on no
// tenant's limit: a tenant's id is no secret.
func (a *api) visitor(next http.Handler) http.Handler {
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		owner, digest, err := signing.ParseSecret(r.PathValue("token"))
		if err != nil {
			return store.ErrNotFound
		}
		ctx, leave, err := a.enter(r.Context(), tenant.Identity{Tenant: owner, User: tenant.Visitor, Role: tenant.Visitor})
		if errors.Is(err, ErrInactive) {
			return store.ErrNotFound
		}
		if err != nil {
			return err
		}
		defer leave()
		if _, err := a.Shares.Read(ctx, digest); err != nil {
			return err
		}
		if err := a.Allow(ctx); err != nil {
			return err
		}
		next.ServeHTTP(w, r.WithContext(ctx))
		return nil
	})
}

func (a *api) readShared(w http.ResponseWriter, r *http.Request) error {
	_, digest, err := signing.ParseSecret(r.PathValue("token"))
	if err != nil {
		return store.ErrNotFound
	}
	shared, err := a.Shares.Read(r.Context(), digest)
	if err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer") // the link is the secret
	return respond(w, http.StatusOK, shared)
}

func (a *api) createShare(w http.ResponseWriter, r *http.Request) error {
	document, err := named(r, "document")
	if err != nil {
		return err
	}
	var in struct {
		ExpiresIn int `json:"expires_in"` // seconds
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if in.ExpiresIn < 1 || in.ExpiresIn > int(MaxShare.Seconds()) {
		return fmt.Errorf("%w: expires_in is a number of seconds from 1 to %.0f", ErrInput, MaxShare.Seconds())
	}
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	token, digest := signing.NewSecret(id.Tenant)
	share, err := a.Shares.Create(r.Context(), document, digest, time.Duration(in.ExpiresIn)*time.Second)
	if err != nil {
		return err
	}
	return a.made(w, r, "share.create", share.ID, struct {
		store.Share
		Token string `json:"token"`
	}{share, token})
}

func (a *api) listShares(w http.ResponseWriter, r *http.Request) error {
	return listUnder(w, r, "document", a.Shares.List)
}

func (a *api) deleteShare(w http.ResponseWriter, r *http.Request) error {
	return a.removeUnder(w, r, "document", "share.delete", a.Shares.Delete)
}
