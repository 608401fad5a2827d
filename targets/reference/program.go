package reference

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/tenant"
)

// program makes an API key that may do what the surface offers, and returns it with the signature of its secret.
func (t *Target) program(ctx context.Context, token string) (key, signature harness.Credential, err error) {
	var scope []string
	for _, resource := range []string{"documents", "preferences", "files", "categories", "projects", "invoices"} {
		scope = append(scope, resource+":read", resource+":write")
	}
	var made struct {
		ID     string
		Key    string
		Secret string `json:"signing_secret"`
	}
	in := map[string]any{"name": "program", "scope": strings.Join(scope, " "), "expires_in": 86400}
	if err := t.call(ctx, token, "POST", "/v1/apikeys", in, &made); err != nil {
		return nil, nil, err
	}
	owner, _, err := signing.ParseSecret(made.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("read the new API key: %w", err)
	}
	secret, err := base64.RawURLEncoding.DecodeString(made.Secret)
	if err != nil {
		return nil, nil, fmt.Errorf("read the new signing secret: %w", err)
	}
	return harness.Header{Name: "X-API-Key", Value: made.Key}, signs{t.requests, secret, owner, made.ID}, nil
}

// signs is the client's side of signed requests, as the service documents it.
type signs struct {
	requests *signing.Requests
	secret   []byte
	tenant   tenant.ID
	key      string
}

// Apply implements harness.Credential.
func (s signs) Apply(_ context.Context, r *http.Request) error {
	call := signing.Call{Method: r.Method, Target: r.URL.RequestURI()}
	if r.URL.Opaque != "" {
		call.Target = strings.TrimPrefix(call.Target, r.URL.Scheme+":")
		call.Target = strings.TrimPrefix(call.Target, "//"+r.URL.Host)
	}
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err == nil {
			call.Body, err = io.ReadAll(body)
		}
		if err != nil {
			return fmt.Errorf("read the body to sign: %w", err)
		}
	}
	signed := signing.Signed{Tenant: s.tenant, Key: s.key, At: s.requests.Now().Unix(), Nonce: rand.Text()}
	r.Header.Set("Authorization", s.requests.Authorize(s.secret, signed, call))
	return nil
}

// String keeps the secret out of %v and %s.
func (s signs) String() string { return "<redacted>" }

// GoString keeps the secret out of %#v.
func (s signs) GoString() string { return "reference.signs(<redacted>)" }
