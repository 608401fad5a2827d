package scenarios

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/partywall/partywall/harness"
)

// bent is a credential that was made for another request, or whose headers were changed afterwards.
type bent struct {
	harness.Credential
	over   func(r *http.Request)     // makes the request that it is for
	change func(value string) string // of the headers that it adds
}

// Apply implements harness.Credential.
func (b bent) Apply(ctx context.Context, r *http.Request) error {
	other := r.Clone(ctx)
	if b.over != nil {
		b.over(other)
	}
	headers, err := adds(ctx, b.Credential, other)
	for name, values := range headers {
		r.Header[name] = values
		for i := range values {
			if b.change != nil {
				values[i] = b.change(values[i])
			}
		}
	}
	return err
}

// adds are the headers that a credential adds to a request, or changes in it. The request stays as it is.
func adds(ctx context.Context, credential harness.Credential, r *http.Request) (http.Header, error) {
	bare := r.Clone(ctx)
	if err := credential.Apply(ctx, bare); err != nil {
		return nil, err
	}
	added := http.Header{}
	for name, values := range bare.Header {
		if !slices.Equal(values, r.Header[name]) {
			added[name] = slices.Clone(values)
		}
	}
	return added, nil
}

// caught is a credential that adds the second time what it added the first.
type caught struct {
	harness.Credential
	headers http.Header
}

// Apply implements harness.Credential.
func (c *caught) Apply(ctx context.Context, r *http.Request) error {
	if c.headers == nil {
		headers, err := adds(ctx, c.Credential, r)
		if err != nil {
			return err
		}
		c.headers = headers
	}
	for name, values := range c.headers {
		r.Header[name] = slices.Clone(values)
	}
	return nil
}

// accepted is the premise of attacks on what programs send: a tenant's own request passes with its credential. ok is false where this
// resource is not for programs.
func accepted(ctx context.Context, w *harness.World, tenant string, credential harness.Credential, o *harness.Object) (ok bool) {
	owner := w.Actor(tenant)
	c, ok := w.CallFor(owner, harness.Read, o)
	if !ok || o == nil {
		if c, ok = w.CallFor(owner, harness.List, o); !ok {
			return false
		}
	}
	c.As, c.Label = credential, "own request, as a program"
	if e := w.Prepare(ctx, owner, c); !e.OK {
		return false
	}
	w.Control(ctx, owner, c)
	return true
}

// renamed replaces the ids of the attacker's tenant by those of the victim's.
func renamed(w *harness.World) func(string) string {
	own, _ := w.AttackerTenant()
	id, _ := w.VictimTenant()
	if own == "" || id == "" {
		return nil
	}
	return strings.NewReplacer(own, id, strings.ReplaceAll(own, "-", ""), strings.ReplaceAll(id, "-", "")).Replace
}

// withBody gives a request another body.
func withBody(r *http.Request, body string) {
	r.ContentLength, r.Body = int64(len(body)), io.NopCloser(strings.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte(body))), nil }
}
