package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// The longest times that an API key is good for, and that a key which was rotated is good for beside its successor.
const (
	MaxKeyLifetime = 365 * 24 * time.Hour
	MaxKeyOverlap  = 7 * 24 * time.Hour
)

// An answer that is kept would keep the key: none of these is made idempotent.
func (a *api) apiKeyRoutes() []route {
	return []route{
		admins("POST /v1/apikeys", a.createAPIKey),
		admins("GET /v1/apikeys", a.listAPIKeys),
		admins("GET /v1/apikeys/{id}", a.readAPIKey),
		admins("POST /v1/apikeys/{id}/rotate", a.rotateAPIKey),
		admins("DELETE /v1/apikeys/{id}", a.revokeAPIKey),
	}
}

// NewAPIKey is what is shown once: the key, and the secret that signs requests in its stead. Of the key, 260 random bits, a plain
// SHA-256 is kept: what cannot be guessed needs no slow hash, and is looked up by it. Of the secret nothing is.
type NewAPIKey struct {
	store.APIKey
	Key           string `json:"key"`
	SigningSecret string `json:"signing_secret"`
}

func (a *api) shown(id tenant.ID, key store.APIKey, text string) NewAPIKey {
	return NewAPIKey{key, text, base64.RawURLEncoding.EncodeToString(a.Requests.Secret(id, key.ID))}
}

// scopeForm is one or more of "documents:read" and the like.
var scopeForm = func() *regexp.Regexp {
	var resources []string
	for _, resource := range reach {
		resources = append(resources, resource)
	}
	slices.Sort(resources)
	word := `(` + strings.Join(slices.Compact(resources), "|") + `):(read|write)`
	return regexp.MustCompile(`^` + word + `( ` + word + `){0,49}$`)
}()

func (a *api) createAPIKey(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Name      *string `json:"name"`
		Scope     *string `json:"scope"`
		ExpiresIn int     `json:"expires_in"` // seconds
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := check(true, field{"name", in.Name, 200}, field{"scope", in.Scope, 2000}); err != nil {
		return err
	}
	most := int(MaxKeyLifetime.Seconds())
	if !scopeForm.MatchString(*in.Scope) || in.ExpiresIn < 1 || in.ExpiresIn > most {
		return fmt.Errorf("%w: an API key has a scope such as \"documents:read files:write\", and expires in 1 to %d seconds", ErrInput, most)
	}
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	text, digest := signing.NewSecret(id.Tenant)
	key, err := a.APIKeys.Create(r.Context(), *in.Name, *in.Scope, digest, time.Duration(in.ExpiresIn)*time.Second)
	if err != nil {
		return err
	}
	return a.made(w, r, "apikey.create", key.ID, a.shown(id.Tenant, key, text))
}

func (a *api) listAPIKeys(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	keys, err := a.APIKeys.List(r.Context(), limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(keys, nil))
}

func (a *api) readAPIKey(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	key, err := a.APIKeys.Get(r.Context(), id)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, key)
}

func (a *api) rotateAPIKey(w http.ResponseWriter, r *http.Request) error {
	old, err := named(r, "id")
	if err != nil {
		return err
	}
	var in struct {
		Overlap *int `json:"overlap"` // seconds
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	most := int(MaxKeyOverlap.Seconds())
	if in.Overlap == nil || *in.Overlap < 0 || *in.Overlap > most {
		return fmt.Errorf("%w: overlap is a number of seconds from 0, which ends the old key at once, to %d", ErrInput, most)
	}
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	text, digest := signing.NewSecret(id.Tenant)
	key, err := a.APIKeys.Rotate(r.Context(), old, digest, time.Duration(*in.Overlap)*time.Second)
	if err != nil {
		return err
	}
	return a.made(w, r, "apikey.rotate", old+" to "+key.ID, a.shown(id.Tenant, key, text))
}

func (a *api) revokeAPIKey(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	if err := a.APIKeys.Revoke(r.Context(), id); err != nil {
		return err
	}
	return a.gone(w, r, "apikey.revoke", id)
}
