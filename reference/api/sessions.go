package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// RevocationBound is how long an access token is still accepted after its session was revoked, its user removed or the
// user's role changed: not at all. Every request asks the store, which costs one indexed query.
const RevocationBound time.Duration = 0

// StreamRevocationBound is how long a stream that such a token opened before goes on: until it is checked again, which is at its next
// heartbeat. Where the tenant is closed, its streams end at once.
const StreamRevocationBound = 15 * time.Second

// Standing tells whether what an identity stands on is still there: the session of its user, with the role that it states, the
// override of an operator, or the API key of a program.
func Standing(sessions store.Sessions, overrides store.Overrides, keys store.APIKeys) func(context.Context) error {
	return func(ctx context.Context) error {
		id, err := tenant.From(ctx)
		if err != nil {
			return err
		}
		switch {
		case id.Override.ID != "":
			err = overrides.Live(ctx)
		case id.Key != "":
			_, err = keys.Live(ctx, id.Key)
		default:
			err = sessions.Live(ctx)
		}
		if isNotFound(err) {
			return ErrUnauthenticated
		}
		return err
	}
}

// tokens answers with an access token for a session and the refresh token that follows it.
func (a *api) tokens(w http.ResponseWriter, id tenant.Identity, refresh string) error {
	token, err := a.Sign(id)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{
		"token": token, "expires_in": int(signing.Lifetime.Seconds()), "refresh_token": refresh,
	})
}

// refresh spends a refresh token. Whoever presents one that was spent before ends the session, for there are two who hold it.
func (a *api) refresh(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Token string `json:"refresh_token"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	owner, digest, err := signing.ParseSecret(in.Token)
	if err != nil {
		return ErrUnauthenticated
	}
	ctx, leave, err := a.enter(r.Context(), tenant.Identity{Tenant: owner, User: "refresh"})
	if errors.Is(err, ErrInactive) { // nothing is verified yet: not even that there is such a tenant is said
		return ErrUnauthenticated
	}
	if err != nil {
		return err
	}
	defer leave()
	// Only who holds a good token draws on the tenant's limit: a tenant's id is no secret.
	known, err := a.Sessions.Known(ctx, digest)
	if err != nil {
		return err
	}
	if known {
		if err := a.limited(ctx, w); err != nil {
			return err
		}
	}
	secret, next := signing.NewSecret(owner)
	session, err := a.Sessions.Rotate(ctx, digest, next)
	switch {
	case errors.Is(err, store.ErrReused):
		if err := a.Audit.Refuse(ctx, "session.reuse", session.ID); err != nil {
			return err
		}
		return ErrUnauthenticated
	case isNotFound(err):
		return ErrUnauthenticated
	case err != nil:
		return err
	}
	return a.tokens(w, tenant.Identity{Tenant: owner, User: session.Email, Role: session.Role, Session: session.ID}, secret)
}

func (a *api) logout(w http.ResponseWriter, r *http.Request) error {
	id, err := tenant.From(r.Context())
	if err != nil {
		return err
	}
	if err := a.Sessions.Revoke(r.Context(), id.Session); err != nil {
		return err
	}
	return a.gone(w, r, "session.revoke", id.Session)
}

// endSessionsOf ends all sessions of a member, with the tokens and links that stand on them. Keys of programs are no sessions.
func (a *api) endSessionsOf(w http.ResponseWriter, r *http.Request) error {
	email, err := named(r, "email")
	if err != nil {
		return err
	}
	if _, _, err := a.Users.Get(r.Context(), email); err != nil {
		return err
	}
	if _, err := a.Sessions.RevokeOf(r.Context(), email); err != nil {
		return err
	}
	return a.gone(w, r, "session.revoke of", email)
}

// endSessions ends all sessions of the tenant, that of who asks for it too.
func (a *api) endSessions(w http.ResponseWriter, r *http.Request) error {
	n, err := a.Sessions.RevokeAll(r.Context())
	if err != nil {
		return err
	}
	return a.gone(w, r, "session.revoke all", strconv.Itoa(n))
}

// endSessionsAt is endSessions for the operator.
func (a *api) endSessionsAt(w http.ResponseWriter, r *http.Request) error {
	ctx, leave, err := a.at(r)
	if err != nil {
		return err
	}
	defer leave()
	return a.endSessions(w, r.WithContext(ctx))
}
