// Package tenant carries the tenant of a request in its context.
//
// It is the one noun that all parts of the reference service share. A part takes the tenant from the context and
// refuses to work without one; only lifecycle calls name a tenant as an argument. Who puts an identity into a context
// has verified it: the API's chain from a token, a worker from a signed envelope.
package tenant

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// ID identifies a tenant. It is random and cannot be guessed; it is also no secret.
type ID string

// New draws an ID: a version 4 UUID.
func New() ID { return ID(uuid.NewString()) }

// Identity is the verified answer to "who acts, and for which tenant".
type Identity struct {
	Tenant ID
	Slug   string // the tenant's human name
	User   string // e-mail of the acting user
	Role   string // "admin" or "member"; what is no user has another: "support", "visitor"
	Tier   string // decides the limits
	Home   string // where a hybrid store keeps the tenant; empty means that the registry is asked
	// Session is what the token of a user stands on: who ends it ends the token.
	Session string
	// Key is the API key of a program, and Scope what it may do; both are empty for users.
	Key, Scope string
	// Override that the identity acts by; zero for everybody but operators.
	Override Override
}

// Program is the role of who acts by an API key, and has the rights of its scope alone.
const Program = "program"

// Visitor is the role of who came by a link to one shared object, and has no rights beyond it.
const Visitor = "visitor"

// ErrMissing means that a part was asked to work without a tenant.
var ErrMissing = errors.New("no tenant in the context: the request did not pass the authentication chain")

type key struct{}

// NewContext returns a context that carries a verified identity.
func NewContext(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// From returns the identity in the context, or ErrMissing.
func From(ctx context.Context) (Identity, error) {
	id, ok := ctx.Value(key{}).(Identity)
	if !ok || id.Tenant == "" {
		return Identity{}, ErrMissing
	}
	return id, nil
}
