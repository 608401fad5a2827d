// Package api is the HTTP face of the reference service.
//
// Every request to a tenant's data passes one chain: authenticate, gate (is the tenant open?), limit, ask whether the token
// still stands, then what [Config.Middleware] adds, then the handler. One function of it, which every other way in shares, puts
// an identity into the context; handlers and parts take it from there. Errors become answers in one table, in which a foreign
// object and an unknown one are the same.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/events"
	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
	"github.com/partywall/partywall/reference/webhooks"
)

// An Authenticator finds out who sent a request, or answers with ErrUnauthenticated.
type Authenticator func(r *http.Request) (tenant.Identity, error)

// A Gate completes a verified identity from the registry, or refuses a tenant that is not open.
type Gate func(ctx context.Context, id tenant.Identity) (tenant.Identity, error)

// Middleware wraps the handlers behind the chain.
type Middleware func(http.Handler) http.Handler

// Config is what the API is made of. All fields are required except Middleware, StreamFor, Proxies, Watch, Metrics, Probes and the two of patience.
type Config struct {
	Authenticate Authenticator
	Gate         Gate
	Allow        func(ctx context.Context) (ratelimit.Decision, error)
	Live         func(ctx context.Context) error // refuses a token that was taken back: see Standing
	Middleware   []Middleware
	Documents    store.Documents
	Trash        store.Trash
	Comments     store.Comments
	Categories   store.Categories
	Projects     store.Projects
	Notes        store.Notes
	Invoices     store.Invoices
	Preferences  store.Preferences
	Audit        store.Audit
	Files        *blobs.Store
	Linked       Linked
	Quotas       store.Quotas
	Tenants      *store.Tenants
	Users        store.Users
	Sessions     store.Sessions
	Invitations  store.Invitations
	Shares       store.Shares
	Overrides    store.Overrides
	Once         store.Once
	APIKeys      store.APIKeys
	Requests     *signing.Requests
	// Spend takes the nonce of a signed request, once.
	Spend    func(ctx context.Context, s signing.Signed) error
	Feed     *events.Feed
	Exports  store.Exports
	Jobs     *jobs.Queue
	Webhooks store.Webhooks
	Sender   *webhooks.Sender
	// Heartbeat is how often a stream shows that it lives, and is checked: at most StreamRevocationBound.
	Heartbeat time.Duration
	// StreamFor is how long a stream may last; then its client comes again and resumes it. 0: an hour.
	StreamFor time.Duration
	Lifecycle *lifecycle.Manager
	Tiers     []string       // that a tenant may be admitted to
	Slugs     *regexp.Regexp // the names that it may have
	Sign      func(tenant.Identity) (string, error)
	KeySet    func() []byte
	// Seal marks cursors and ETags.
	Seal signing.Seal
	// OperatorKey opens the admin API. Empty closes it.
	OperatorKey string
	// Patience is how long a request may wait for the engines behind the service, and its client for it; 0: ten seconds. Files and
	// the admin API have LongPatience; 0: two minutes.
	Patience, LongPatience time.Duration
	// Hashing holds one token for each password that is being hashed, of as many as may be at once.
	Hashing chan struct{}
	// Turn waits until the tenant in the context may have one more expensive request done; leave gives that back.
	Turn func(ctx context.Context) (leave func(), err error)
	// Proxies whose word counts for the address of a client.
	Proxies []netip.Prefix
	// Watch is told of every request, once it is answered.
	Watch []Watcher
	// Metrics shows what was counted; nil: nothing was.
	Metrics http.Handler
	// Probes of the engines behind the service, by their names.
	Probes map[string]func(ctx context.Context) error
	Log    *slog.Logger
}

// A Guard is who stands before a route.
type Guard string

// The guards of routes. There is no other way to add a route.
const (
	Chain    Guard = "chain"    // authenticates, and lets only open tenants pass
	Operator Guard = "operator" // takes the operator's key, and no tenant's token
	Visitors Guard = "visitors" // takes the token of a share in the path, and lets it open that share alone, for a stated reason
	Linkers  Guard = "linkers"  // takes a signed link in the path, and lets it do what it was made for, for a stated reason
	Public   Guard = "public"   // lets everybody pass, for a stated reason
)

// Route of the API.
type Route struct {
	Pattern string
	Guard   Guard
	Reason  string // why it needs no login
	Role    string // that the user must have; empty: any
	Support bool   // whether an operator who acts by an override needs no role
}

type handler func(w http.ResponseWriter, r *http.Request) error

type route struct {
	Route
	handle   handler
	patience patience // see lasting
}

// tenants is a route to tenants' data.
func tenants(pattern string, handle handler) route {
	return route{Route{Pattern: pattern, Guard: Chain}, handle, usual}
}

// admins is a route to tenants' data for users with the role admin.
func admins(pattern string, handle handler) route {
	return route{Route{Pattern: pattern, Guard: Chain, Role: "admin"}, handle, usual}
}

// supported opens a route to operators who act by an override: explicitly, for a reason, and on record.
func (r route) supported() route {
	r.Support = true
	return r
}

func operators(pattern string, handle handler) route {
	return route{Route{Pattern: pattern, Guard: Operator}, handle, long}
}

func public(pattern, reason string, handle handler) route {
	return route{Route{Pattern: pattern, Guard: Public, Reason: reason}, handle, usual}
}

// visitors is a route that a share's token, in the path, opens.
func visitors(pattern, reason string, handle handler) route {
	return route{Route{Pattern: pattern, Guard: Visitors, Reason: reason}, handle, usual}
}

// linked is a route that a signed link, in the path, opens.
func linked(pattern, reason string, handle handler) route {
	return route{Route{Pattern: pattern, Guard: Linkers, Reason: reason}, handle, usual}
}

// New returns the service's handler.
func New(cfg Config) http.Handler {
	a := &api{Config: cfg}
	// bcrypt fails only for a cost out of range, and then every login fails with it.
	a.nobody, _ = bcrypt.GenerateFromPassword([]byte("nobody"), cfg.Lifecycle.HashCost)
	document, err := Document().JSON()
	if err != nil {
		panic(err) // it is made of nothing but maps and texts
	}
	a.described = document
	mux := http.NewServeMux()
	for _, r := range a.routes() {
		mux.Handle(r.Pattern, endpoint{a.within(r.patience, a.guarded(r))})
	}
	return harden(a.visited(a.recovered(a.routed(mux))))
}

// routes are all that the mux knows.
func (a *api) routes() []route {
	return slices.Concat(
		a.openAPIRoutes(), a.healthRoutes(), a.identityRoutes(), a.operatorRoutes(), a.documentRoutes(), a.trashRoutes(), a.commentRoutes(), a.categoryRoutes(),
		a.projectRoutes(), a.noteRoutes(), a.invoiceRoutes(), a.preferenceRoutes(), a.fileRoutes(), a.linkRoutes(), a.auditRoutes(),
		a.memberRoutes(), a.invitationRoutes(), a.shareRoutes(), a.overrideRoutes(),
		a.streamRoutes(), a.exportRoutes(), a.webhookRoutes(), a.jobRoutes(), a.apiKeyRoutes(),
	)
}

// Routes lists what the mux knows, for tests that walk it.
func Routes() (all []Route) {
	for _, r := range (&api{}).routes() {
		all = append(all, r.Route)
	}
	return all
}

// guarded puts the guard of a route before its handler. A guard that does not exist lets nobody pass.
func (a *api) guarded(r route) http.Handler {
	switch r.Guard {
	case Chain:
		return a.chain(r.Route, a.answer(r.handle))
	case Operator:
		return a.operator(a.answer(r.handle))
	case Visitors:
		return a.visitor(a.answer(r.handle))
	case Linkers:
		return a.follower(a.answer(r.handle))
	case Public:
		return a.answer(r.handle)
	default:
		return a.answer(func(http.ResponseWriter, *http.Request) error { return errNoRoute })
	}
}

type api struct {
	Config
	// nobody is the hash that is compared where a tenant or user does not exist: both ways cost one bcrypt.
	nobody []byte
	// described is the OpenAPI document.
	described []byte
}

// enter lets an identity in: its tenant is open, and the request is counted until leave is called. It is the only place that puts
// one into a context, but for the login, which looks a user up to compare the password.
func (a *api) enter(ctx context.Context, id tenant.Identity) (_ context.Context, leave func(), err error) {
	leave = a.Lifecycle.Enter(id.Tenant)
	if id, err = a.Gate(ctx, id); err != nil {
		leave()
		return nil, nil, err
	}
	return acting(ctx, id), leave, nil
}

// acting notes who acts in a context, and in its visit.
func acting(ctx context.Context, id tenant.Identity) context.Context {
	visit(ctx).Identity = id
	return tenant.NewContext(ctx, id)
}

// chain is the guard of tenants' data.
func (a *api) chain(route Route, next http.Handler) http.Handler {
	for i := len(a.Middleware) - 1; i >= 0; i-- {
		next = a.Middleware[i](next)
	}
	return a.answer(func(w http.ResponseWriter, r *http.Request) error {
		ctx, leave, stands, err := a.identify(w, r)
		if err != nil {
			return err
		}
		defer leave()
		id, err := tenant.From(ctx)
		if err != nil {
			return err
		}
		// The limiter comes first: what a tenant sends too much of costs no query.
		if err := a.limited(ctx, w); err != nil {
			return err
		}
		if err := stands(ctx); err != nil {
			return err
		}
		if err := a.overridden(ctx, id, r); err != nil {
			return err
		}
		if supported := route.Support && id.Role == tenant.Support; route.Role != "" && id.Role != route.Role && !supported {
			if id.Override.ID == "" { // else it is on record already
				a.refused(r.WithContext(ctx), "access")
			}
			return store.ErrForbidden
		}
		if err := scoped(id, r.Pattern); err != nil {
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
		if err == nil && !record.Open() || isNotFound(err) {
			return tenant.Identity{}, ErrInactive
		}
		if err != nil {
			return tenant.Identity{}, err
		}
		id.Slug, id.Tier, id.Home = record.Slug, record.Tier, record.Home
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
		if errors.Is(err, signing.ErrForged) {
			sign(r.Context(), ForgedToken)
		}
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

// harden sets the headers that keep answers out of shared caches and from being sniffed. A cache that keeps them nevertheless is
// told what they depend on.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private, no-store")
		w.Header().Set("Vary", "Authorization, X-API-Key")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

func (a *api) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				a.Log.ErrorContext(whose(r.Context()), "a handler panicked", "method", r.Method, "route", r.Pattern, "panic", p)
				write(w, problem{Title: "internal error", Status: http.StatusInternalServerError})
			}
		}()
		next.ServeHTTP(w, r)
	})
}
