package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// ErrOneTenant means that what is given for two tenants is one: between them there is no wall, and whoever attacked it
// would find nothing but what is its own.
var ErrOneTenant = errors.New("two tenants are one and the same")

// distinct tells whether the tenants of a cast are as many as they seem: no two have one id, and no two of their people
// add the same to a request.
func (c *cast) distinct(ctx context.Context) error {
	for i := range c.members {
		for k := range i {
			a, b := &c.members[k], &c.members[i]
			if a.tenant.ID != "" && a.tenant.ID == b.tenant.ID {
				return fmt.Errorf("%w: the tenants %s and %s have the same id", ErrOneTenant, a, b)
			}
			if sameCredential(ctx, a.tenant.Key, b.tenant.Key) {
				return fmt.Errorf("%w: the programs of %s and %s have the same key", ErrOneTenant, a, b)
			}
			for _, p := range a.tenant.Principals {
				for _, q := range b.tenant.Principals {
					if sameCredential(ctx, p.Credential, q.Credential) {
						return fmt.Errorf("%w: %s of %s and %s of %s sign in with the same credential", ErrOneTenant, p.Name, a, q.Name, b)
					}
				}
			}
		}
	}
	return nil
}

func (m *member) String() string {
	if m.tenant.Name == "" {
		return m.label
	}
	return m.label + " (" + m.tenant.Name + ")"
}

// sameCredential compares what two credentials add to a request. One that adds nothing says nothing: its target may know
// another way.
func sameCredential(ctx context.Context, a, b Credential) bool {
	if a == nil || b == nil {
		return false
	}
	first, ok1 := applied(ctx, a)
	second, ok2 := applied(ctx, b)
	bare := probe(ctx)
	return ok1 && ok2 && first.URL.String() == second.URL.String() && maps.EqualFunc(first.Header, second.Header, slices.Equal) &&
		(len(first.Header) > 0 || first.URL.String() != bare.URL.String())
}

func probe(ctx context.Context) *http.Request {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: "localhost", Path: "/"}, Header: http.Header{}}
	return r.WithContext(ctx)
}

func applied(ctx context.Context, c Credential) (*http.Request, bool) {
	r := probe(ctx)
	return r, c.Apply(ctx, r) == nil
}
