// Package api is the HTTP face of the reference service.
//
// Every request to a tenant's data passes one chain: authenticate, gate (is the tenant open?), limit, then what
// [Config.Middleware] adds, then the handler. Only the chain puts an identity into the context; handlers and parts take
// it from there. Errors become answers in one table, in which a foreign object and an unknown one are the same.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// An Authenticator finds out who sent a request, or answers with ErrUnauthenticated.
type Authenticator func(r *http.Request) (tenant.Identity, error)

// A Gate completes a verified identity from the registry, or refuses a tenant that is not open.
type Gate func(ctx context.Context, id tenant.Identity) (tenant.Identity, error)

// Middleware wraps the handlers behind the chain.
type Middleware func(http.Handler) http.Handler

// Config is what the API is made of. All fields are required except Middleware.
type Config struct {
	Authenticate Authenticator
	Gate         Gate
	Allow        func(ctx context.Context) error // the limiter
	Middleware   []Middleware
	Documents    store.Documents
	Preferences  store.Preferences
	Audit        store.Audit
	Files        *blobs.Store
	Tenants      *store.Tenants
	Users        store.Users
	Lifecycle    *lifecycle.Manager
	Sign         func(tenant.Identity) (string, error)
	KeySet       func() []byte
	// OperatorKey opens the admin API. Empty closes it.
	OperatorKey string
	Log         *slog.Logger
}

// A route of the API. Every route that is not public passes the chain, and there is no way to add one that does not.
type route struct {
	pattern string
	handle  func(w http.ResponseWriter, r *http.Request) error
}

// New returns the service's handler.
func New(cfg Config) http.Handler {
	a := &api{Config: cfg}
	// bcrypt fails only for a cost out of range, and then every login fails with it.
	a.nobody, _ = bcrypt.GenerateFromPassword([]byte("nobody"), cfg.Lifecycle.HashCost)
	mux := http.NewServeMux()
	for _, r := range a.public() {
		mux.Handle(r.pattern, a.answer(r.handle))
	}
	for _, r := range a.admin() {
		mux.Handle(r.pattern, a.operator(a.answer(r.handle)))
	}
	for _, r := range a.tenants() {
		mux.Handle(r.pattern, a.chain(a.answer(r.handle)))
	}
	return harden(a.recovered(mux))
}

// Routes lists the patterns that pass the chain, for tests that walk them.
func Routes() []string {
	var patterns []string
	for _, r := range (&api{}).tenants() {
		patterns = append(patterns, r.pattern)
	}
	return patterns
}

type api struct {
	Config
	// nobody is the hash that is compared where a tenant or user does not exist: both ways cost one bcrypt.
	nobody []byte
}

func (a *api) public() []route {
	return []route{
		{"GET /healthz", a.health},
		{"GET /.well-known/jwks.json", a.keySet},
		{"POST /v1/login", a.login},
	}
}

func (a *api) admin() []route {
	return []route{
		{"POST /admin/tenants", a.admit},
		{"DELETE /admin/tenants/{id}", a.offboard},
	}
}

func (a *api) tenants() []route {
	return []route{
		{"GET /v1/whoami", a.whoami},
		{"POST /v1/documents", a.createDocument},
		{"GET /v1/documents", a.listDocuments},
		{"GET /v1/documents/{id}", a.readDocument},
		{"PUT /v1/documents/{id}", a.replaceDocument},
		{"PATCH /v1/documents/{id}", a.patchDocument},
		{"DELETE /v1/documents/{id}", a.deleteDocument},
		{"GET /v1/preferences", a.listPreferences},
		{"PUT /v1/preferences/{name...}", a.putPreference},
		{"GET /v1/preferences/{name...}", a.readPreference},
		{"DELETE /v1/preferences/{name...}", a.deletePreference},
		{"GET /v1/files", a.listFiles},
		{"PUT /v1/files/{path...}", a.putFile},
		{"GET /v1/files/{path...}", a.readFile},
		{"DELETE /v1/files/{path...}", a.deleteFile},
		{"GET /v1/audit", a.listAudit},
	}
}

// chain is the only place that puts an identity into a context.
func (a *api) chain(next http.Handler) http.Handler {
	for i := len(a.Middleware) - 1; i >= 0; i-- {
		next = a.Middleware[i](next)
	}
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		id, err := a.Authenticate(r)
		if err != nil {
			return err
		}
		if id, err = a.Gate(r.Context(), id); err != nil {
			return err
		}
		ctx := tenant.NewContext(r.Context(), id)
		if err := a.Allow(ctx); err != nil {
			return err
		}
		next.ServeHTTP(w, r.WithContext(ctx))
		return nil
	})
}

// Registered is the good gate: the tenant must be in the registry and active, and its slug and tier are taken from there.
func Registered(tenants *store.Tenants) Gate {
	return func(ctx context.Context, id tenant.Identity) (tenant.Identity, error) {
		record, err := tenants.ByID(ctx, id.Tenant)
		if err != nil || record.Status != store.Active {
			if err == nil || isNotFound(err) {
				err = ErrUnauthenticated
			}
			return tenant.Identity{}, err
		}
		id.Slug, id.Tier = record.Slug, record.Tier
		return id, nil
	}
}

// Token is the good authenticator: a verified bearer token, and nothing else in the request, says who acts.
func Token(verify func(token string) (tenant.Identity, error)) Authenticator {
	return func(r *http.Request) (tenant.Identity, error) {
		token, ok := bearer(r)
		if !ok {
			return tenant.Identity{}, ErrUnauthenticated
		}
		id, err := verify(token)
		if err != nil {
			return tenant.Identity{}, ErrUnauthenticated
		}
		return id, nil
	}
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// harden sets the headers that keep answers out of shared caches and from being sniffed.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func (a *api) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				a.Log.ErrorContext(r.Context(), "a handler panicked", "method", r.Method, "route", r.Pattern, "panic", p)
				write(w, problem{Title: "internal error", Status: http.StatusInternalServerError})
			}
		}()
		next.ServeHTTP(w, r)
	})
}
