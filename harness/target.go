package harness

import (
	"context"
	"errors"
	"net/http"
)

// A Target is a running service under attack. What only some services can do are optional interfaces, found by type
// assertion: [Lifecycle], [Closer], [Tiered], [Clock], [Watcher], [Secretive].
type Target interface {
	// Name identifies the target in reports; it holds no secret.
	Name() string
	// Surface describes the service. It is called once, after the target was opened.
	Surface() Surface
	// Provision returns a tenant that no other cast uses: a new one where the service allows it, else one of the given
	// accounts. The name is a wish, which the service may not allow; two tenants may get the same. It returns ErrNoTenant when there are no more,
	// and ErrName where the service refuses the name.
	// Requests that it sends itself go through Recorded.
	Provision(ctx context.Context, name string) (Tenant, error)
	// Send transports one request as it is: no redirect is followed, nothing is cleaned, decoded or repeated. The
	// credential has been applied already.
	Send(ctx context.Context, as Actor, r *http.Request) (*http.Response, error)
	// Close ends what opening the target started.
	Close(ctx context.Context) error
}

// ErrNoTenant means that a target has no further tenant to give.
var ErrNoTenant = errors.New("the target has no further tenant")

// ErrName means that the service has no tenant of the wished name: what some services refuse is a wall of others.
var ErrName = errors.New("the service refuses a tenant of that name")

// Lifecycle is implemented by targets that can end a tenant. Scenarios that need it are skipped elsewhere.
type Lifecycle interface {
	// Delete ends the tenant for good and returns once the service says that it is done.
	Delete(ctx context.Context, t Tenant) error
}

// Secretive is implemented by targets that hold secrets of their own, such as the key of a gateway: they are replaced in
// everything that is recorded. Secrets returns values with the placeholders to show in their stead.
type Secretive interface {
	Secrets() map[string]string
}

// Conceal makes a value that a target learned while provisioning a secret of the run: from now on evidence shows the
// placeholder. What a [Credential] adds to a request is concealed without it. Outside a run it does nothing.
func Conceal(ctx context.Context, value, placeholder string) {
	if d, ok := ctx.Value(doorKey{}).(*door); ok {
		d.secrets.learn(value, placeholder)
	}
}

// A Tenant is one customer of the service under attack.
type Tenant struct {
	// ID as the service knows it, and Name as people do: what a hostile client would write into a header. Both count
	// as known to everybody.
	ID   string
	Name string
	// Principals who act for the tenant; the first one creates and owns its objects.
	Principals []Principal
	// Key is what its programs send in place of a login, such as an API key, and Signature signs each of their requests. Nil where
	// the service has no such thing.
	Key, Signature Credential
	// Borrowed tenants existed before and must survive the run.
	Borrowed bool
}

// A Principal is an actor of a tenant, with a role.
type Principal struct {
	Name       string
	Role       string
	Credential Credential
}

// A Credential makes a request authentic. It is applied last, after every mutation, and what it changes is recorded
// as a placeholder such as <b.alice>.
type Credential interface {
	Apply(ctx context.Context, r *http.Request) error
}

// Forger is implemented by credentials that carry a token an attacker could rewrite.
type Forger interface {
	// Forge returns a credential that carries change(token) instead of the token. Nothing is signed anew.
	Forge(change func(token string) (string, error)) Credential
}

// An Actor is who sends a request. The zero value is anonymous.
type Actor struct {
	// Tenant is the label of the tenant in the cast: "a", "b", "c". Empty for anonymous.
	Tenant     string
	Principal  string
	Credential Credential
}

// String is the name by which evidence calls the actor, for example "b.alice".
func (a Actor) String() string {
	if a.Tenant == "" {
		return "anonymous"
	}
	return a.Tenant + "." + a.Principal
}

// Bearer is a credential that sends a token in the Authorization header.
type Bearer string

// Apply implements Credential.
func (b Bearer) Apply(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+string(b))
	return nil
}

// Forge implements Forger.
func (b Bearer) Forge(change func(string) (string, error)) Credential {
	return forged{token: string(b), change: change}
}

// GoString keeps tokens out of %#v.
func (b Bearer) GoString() string { return "harness.Bearer(<redacted>)" }

// String keeps tokens out of %v and %s.
func (b Bearer) String() string { return "<redacted>" }

type forged struct {
	token  string
	change func(string) (string, error)
}

func (f forged) Apply(ctx context.Context, r *http.Request) error {
	token, err := f.change(f.token)
	if err != nil {
		return err
	}
	return Bearer(token).Apply(ctx, r)
}

// Header is a credential that sets one header, such as an API key.
type Header struct{ Name, Value string }

// Apply implements Credential.
func (h Header) Apply(_ context.Context, r *http.Request) error {
	r.Header.Set(h.Name, h.Value)
	return nil
}

// GoString keeps the value out of %#v.
func (h Header) GoString() string { return "harness.Header{" + h.Name + ": <redacted>}" }

// String keeps the value out of %v and %s.
func (h Header) String() string { return h.Name + ": <redacted>" }
