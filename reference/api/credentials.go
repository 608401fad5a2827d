package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// identify finds out who sends a request, by the one credential that it may carry: a token of a user, an API key, or a signature that
// an API key's secret made. Each names its tenant by itself, and nothing else in the request can name another. stands is asked
// behind the limiter, and says whether the credential is still good.
func (a *api) identify(w http.ResponseWriter, r *http.Request) (ctx context.Context, leave func(), stands func(context.Context) error, err error) {
	keys, authorizations := r.Header.Values("X-API-Key"), r.Header.Values("Authorization")
	if len(keys) > 1 && len(authorizations) == 0 {
		return nil, nil, nil, ErrUnauthenticated // two keys are none
	}
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case len(keys) == 1 && len(authorizations) == 0: // beside an Authorization it says nothing
		return a.byKey(r, keys[0])
	case len(authorizations) == 1 && strings.EqualFold(scheme, "ApiKey"):
		return a.byKey(r, text)
	case len(authorizations) == 1 && strings.EqualFold(scheme, signing.Scheme):
		return a.bySignature(w, r)
	}
	id, err := a.Authenticate(r)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, leave, err = a.enter(r.Context(), id)
	return ctx, leave, a.Live, err
}

// byKey looks a key up among those of the tenant that it names. It stands, for it was found in this request.
func (a *api) byKey(r *http.Request, text string) (context.Context, func(), func(context.Context) error, error) {
	owner, digest, err := signing.ParseSecret(text)
	if err != nil {
		return nil, nil, nil, ErrUnauthenticated
	}
	ctx, leave, err := a.keyed(r.Context(), owner, func(ctx context.Context) (store.APIKey, error) { return a.APIKeys.Find(ctx, digest) })
	return ctx, leave, func(context.Context) error { return nil }, err
}

// bySignature verifies a signature by the secret of a key of the tenant that it names. It stands when it comes for the first time.
func (a *api) bySignature(w http.ResponseWriter, r *http.Request) (context.Context, func(), func(context.Context) error, error) {
	signed, err := signing.ParseSigned(r.Header.Get("Authorization"))
	if err != nil || !a.Requests.Timely(signed) {
		return nil, nil, nil, ErrUnauthenticated
	}
	ctx, leave, err := a.keyed(r.Context(), signed.Tenant, func(ctx context.Context) (store.APIKey, error) {
		key, err := a.APIKeys.Live(ctx, signed.Key)
		if err != nil {
			return key, err
		}
		body, err := bodyOf(w, r) // of nobody else's is one kept
		if err != nil {
			return key, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		return key, a.Requests.Verify(signed, signing.Call{Method: r.Method, Target: r.URL.RequestURI(), Body: body})
	})
	return ctx, leave, func(ctx context.Context) error {
		err := a.Spend(ctx, signed)
		if errors.Is(err, signing.ErrToken) {
			return ErrUnauthenticated
		}
		return err
	}, err
}

// keyed lets the program in that holds a key of a tenant. Until the key is found nothing is verified: not even whether there is such a
// tenant is said.
func (a *api) keyed(ctx context.Context, owner tenant.ID, find func(context.Context) (store.APIKey, error)) (context.Context, func(), error) {
	ctx, leave, err := a.enter(ctx, tenant.Identity{Tenant: owner, User: tenant.Program, Role: tenant.Program})
	if errors.Is(err, ErrInactive) {
		return nil, nil, ErrUnauthenticated
	}
	if err != nil {
		return nil, nil, err
	}
	key, err := find(ctx)
	if isNotFound(err) || errors.Is(err, signing.ErrToken) {
		err = ErrUnauthenticated
	}
	id, missing := tenant.From(ctx)
	if err = errors.Join(err, missing); err != nil {
		leave()
		return nil, nil, err
	}
	id.User, id.Key, id.Scope = "key:"+key.ID, key.ID, key.Scope
	return acting(ctx, id), leave, nil
}

// reach of keys: the resources of their scopes, by the first segment of a path. What is not here is for people: members, invitations,
// sessions, overrides, webhooks, links (which stand on a session), the trail, jobs that were given up, and the keys themselves.
var reach = map[string]string{
	"documents": "documents", "trash": "documents", "categories": "categories", "projects": "projects", "invoices": "invoices",
	"preferences": "preferences", "files": "files", "file-versions": "files", "exports": "exports", "events": "events", "ws": "events",
}

// scoped refuses what is beyond the scope of a key. Who has no key is bound by the role alone.
func scoped(id tenant.Identity, pattern string) error {
	method, path, _ := strings.Cut(pattern, " ")
	if id.Key == "" || path == "/v1/whoami" {
		return nil
	}
	segments := strings.SplitN(path, "/", 4)
	right := ":write"
	if method == http.MethodGet {
		right = ":read"
	}
	if len(segments) > 2 {
		if resource, ok := reach[segments[2]]; ok && strings.Contains(" "+id.Scope+" ", " "+resource+right+" ") {
			return nil
		}
	}
	return store.ErrForbidden
}
