// Package reference is a multi-tenant service that isolates its tenants properly: the good example, and the thing that
// planted faults break one way at a time.
//
// [Assemble] makes the parts, [New] is the only wiring. Between the two stands nothing but plain fields: a caller may
// wrap a part, replace a function, drop a list element or change a statement before New is called. The service itself
// knows nothing of that.
package reference

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/cache"
	"github.com/partywall/partywall/reference/events"
	"github.com/partywall/partywall/reference/export"
	"github.com/partywall/partywall/reference/fairshare"
	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/keys"
	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/logging"
	"github.com/partywall/partywall/reference/metrics"
	"github.com/partywall/partywall/reference/monitor"
	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
	"github.com/partywall/partywall/reference/webhooks"
)

// Config of the service.
type Config struct {
	Strategy string // see store.Strategies; empty means "row"
	// HashCost of bcrypt; 0 means its default. Tests use the minimum.
	HashCost int
	// Secret of the service, from which all its keys are derived: those of tokens, links, cursors, jobs, signed requests, webhooks, and
	// the operator's. Processes that serve the same tenants share it. It has at least SecretSize bytes; nil means one that ends with the
	// process, and all that was handed out with it.
	Secret []byte
	// KMS wraps the data keys of tenants; nil wraps them with a master key that is derived from the secret, which is for trials.
	KMS keys.KMS
	// Log of the service; nil discards.
	Log *slog.Logger
	// AlertURL of the operator's is told of repeated attempts to reach other tenants; empty: the log alone is.
	AlertURL string
	// CacheRooms of tiers whose cached values lie apart from those of others, in a Redis of their own for example; nil means keys
	// apart, in the one Redis, for the tiers whose data is the most sensitive.
	CacheRooms map[string]cache.Room
}

func (c Config) cacheRooms(s *backing.Service) map[string]cache.Room {
	if c.CacheRooms != nil {
		return c.CacheRooms
	}
	apart := cache.Room{Client: s.Redis, Prefix: "apart:"}
	return map[string]cache.Room{"enterprise": apart, "test-database": apart}
}

// Parts are all that the service is made of.
type Parts struct {
	Service *backing.Service
	// Log redacts, and names who acts, in every entry of the service.
	Log *logging.Handler
	// OwnerSQL runs as the database owner before the service starts. The good service needs none.
	OwnerSQL []string
	// DB is shared by Documents, Preferences, Audit and Users; its statements are data.
	DB      *store.DB
	Cache   *cache.Cache
	Limiter *ratelimit.Limiter
	// Connections to the shared database, and expensive requests, are divided fairly.
	Connections, Expensive *fairshare.Queue
	Keys                   *signing.Keys
	Verifier               signing.Verifier
	Monitor                *monitor.Monitor
	Metrics                *metrics.Metrics
	// Retention of a tenant's trail, by its tier.
	Retention func(tier string) time.Duration
	// Source is what exports read from.
	Source func() export.Source
	API    api.Config
}

// Template is how the database of a strategy is made.
func Template(strategy string) (backing.Template, error) {
	if strategy == "" {
		strategy = "row"
	}
	migration, err := store.Migration(strategy)
	if err != nil {
		return backing.Template{}, err
	}
	return backing.Template{Name: strategy, Migrate: migration}, nil
}

// Assemble makes the parts of a service on a backing whose database came from Template.
func Assemble(cfg Config, s *backing.Service) (*Parts, error) {
	if cfg.Strategy == "" {
		cfg.Strategy = "row"
	}
	if cfg.HashCost == 0 {
		cfg.HashCost = bcrypt.DefaultCost
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	secret, err := newSecrets(cfg.Secret)
	if err != nil {
		return nil, err
	}
	entries := logging.New(cfg.Log.Handler())
	cfg.Log = slog.New(entries)
	strategy, err := store.Open(cfg.Strategy, store.Postgres{App: s.App, Owner: s.Owner, Role: backing.AppRole, Databases: s})
	if err != nil {
		return nil, err
	}
	s.OnClose(strategy.Close)
	signer := signing.With(secret.key("tokens"))
	db := &store.DB{Pool: s.App, Statements: store.DefaultStatements(), Strategy: strategy, Quotas: store.DefaultQuotas(), Now: func() time.Time { return signer.Now() }}
	c := cache.New(s.Redis)
	c.Apart, c.Log = cfg.cacheRooms(s), cfg.Log
	limiter := ratelimit.New(s.Redis)
	shared, heavy := connections(s.App.Config().MaxConns), expensive()
	db.Enter = shared.Enter
	tenants := &store.Tenants{Pool: s.App, Now: func() time.Time { return signer.Now() }}
	users := store.NewUsers(db)
	sessions, overrides := store.NewSessions(db), store.NewOverrides(db)
	vault, err := newVault(cfg, secret, db)
	if err != nil {
		return nil, err
	}
	files := blobs.New(s.S3, s.Bucket, vault)
	files.Plain = blobs.Plain{Tiers: map[string]bool{"free": true, "starter": true, "test-plain": true}, Mark: signing.SealWith(secret.key("plain files")).Mark}
	apiKeys, requests := store.NewAPIKeys(db), signing.RequestsWith(s.Redis, secret.key("signed requests"))
	requests.Now = func() time.Time { return signer.Now() }
	feed := events.New(s.Redis)
	seal := func(purpose string) signing.Seal { return signing.SealWith(secret.key(purpose)) }
	s.OnClose(feed.Close)
	queue := jobs.New(s.Redis, seal("jobs"))
	queue.Quotas = map[string]int{}
	for tier, quota := range db.Quotas {
		queue.Quotas[tier] = int(quota.Jobs)
	}
	hooks := store.NewWebhooks(db)
	sender, err := webhooks.New(secret.key("webhooks"))
	if err != nil {
		return nil, err
	}
	p := &Parts{
		Service: s, Log: entries, DB: db, Cache: c, Limiter: limiter, Connections: shared, Expensive: heavy, Keys: signer, Verifier: signer, Retention: Retention,
		Monitor: monitor.New(s.Redis, seal("attempts").Mark), Metrics: metrics.New(seal("metrics").Mark),
	}
	p.API = api.Config{
		Gate:        api.Registered(tenants),
		Allow:       limiter.Allow,
		Tiers:       limiter.Names(),
		Slugs:       api.Slugs,
		Documents:   store.NewDocuments(db),
		Trash:       store.NewTrash(db),
		Comments:    store.NewComments(db),
		Categories:  store.NewCategories(db),
		Projects:    store.NewProjects(db),
		Notes:       store.NewNotes(db),
		Invoices:    store.NewInvoices(db),
		Preferences: cachedPreferences{store.NewPreferences(db), c},
		Audit:       announced{store.NewAudit(db, &store.Anchors{Pool: s.App, Mark: seal("trails").Mark}), cfg.Log, feed, hooks, queue, p.Monitor.Learn},
		Files:       files,
		Linked:      api.NewLinked(signing.LinksWith(secret.key("links"), func() time.Time { return signer.Now() }), sessions, files, requests),
		Quotas:      store.NewQuotas(db),
		Tenants:     tenants,
		Users:       users,
		Sessions:    sessions,
		Invitations: store.NewInvitations(db),
		Shares:      store.NewShares(db),
		Overrides:   overrides,
		Live:        api.Standing(sessions, overrides, apiKeys),
		Lifecycle: &lifecycle.Manager{
			Tenants: tenants, Users: users, HashCost: cfg.HashCost,
			NewID: func(string) tenant.ID { return tenant.New() },
			Provision: []lifecycle.Part{
				{Name: "rooms", Do: func(ctx context.Context, id tenant.ID) error { return db.Strategy.Provision(ctx, id) }},
				{Name: "keys", Do: func(ctx context.Context, _ tenant.ID) error { return vault.Provision(ctx) }},
			},
			Revoke: []lifecycle.Part{
				{Name: "access", Do: func(ctx context.Context, id tenant.ID) error {
					return store.Revoke(ctx, db, store.TablesOfAccess(), id)
				}},
			},
			Log: cfg.Log,
			Purgers: []lifecycle.Purger{
				{Name: "rows", Purge: func(ctx context.Context, id tenant.ID) error { return db.Strategy.Remove(ctx, id) }},
				{Name: "cache", Purge: c.Purge},
				{Name: "files", Purge: files.Purge},
				{Name: "limits", Purge: limiter.Purge},
				{Name: "events", Purge: feed.Purge},
				{Name: "jobs", Purge: queue.Purge},
				{Name: "monitor", Purge: p.Monitor.Purge},
				{Name: "nonces", Purge: requests.Purge},
			},
		},
		Once:        store.NewOnce(db),
		APIKeys:     apiKeys,
		Requests:    requests,
		Spend:       requests.Spend,
		Feed:        feed,
		Exports:     store.NewExports(db),
		Jobs:        queue,
		Webhooks:    hooks,
		Sender:      sender,
		Heartbeat:   api.StreamRevocationBound,
		Sign:        signer.Sign,
		KeySet:      signer.KeySet,
		Seal:        seal("cursors"),
		OperatorKey: secret.text("operator"),
		Turn:        heavy.Enter,
		Hashing:     make(chan struct{}, 1+runtime.GOMAXPROCS(0)/2),
		Watch:       []api.Watcher{api.AccessLog(cfg.Log), p.counted, p.noticed},
		Metrics:     p.Metrics.Handler(),
		Probes:      probes(s),
		Log:         cfg.Log,
	}
	p.watch(cfg)
	p.API.Lifecycle.Archive, p.Source = archive{p}, p.source
	mover, moves := strategy.(store.Mover)
	p.API.Lifecycle.Move = func(ctx context.Context, id tenant.ID, tier string) error {
		if moves {
			if err := mover.Move(ctx, id, tier); err != nil {
				return err
			}
		}
		return c.Purge(ctx, id) // another tier may have another room, which then is empty
	}
	// The verifier may be replaced until New is called.
	p.API.Authenticate = api.Token(func(token string) (tenant.Identity, error) { return p.Verifier.Verify(token) })
	return p, nil
}

// newVault makes what seals the files of tenants. A tenant's data keys are rows of the tenant: they go with it.
func newVault(cfg Config, secret secrets, db *store.DB) (*keys.Vault, error) {
	kms := cfg.KMS
	if kms == nil {
		var err error
		if kms, err = keys.Local(secret.key("master key of data keys")); err != nil {
			return nil, err
		}
	}
	return &keys.Vault{KMS: kms, Table: store.NewDataKeys(db)}, nil
}

// New wires the parts into the service's handler.
func New(ctx context.Context, p *Parts) (http.Handler, error) {
	for _, sql := range p.OwnerSQL {
		if _, err := p.Service.Owner.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("run as the database owner: %s: %w", sql, err)
		}
	}
	if err := p.work(ctx); err != nil {
		return nil, err
	}
	return api.New(p.API), nil
}

// cachedPreferences reads through the cache, and shuts it around every change.
type cachedPreferences struct {
	store.Preferences
	cache *cache.Cache
}

const preferenceSpace = "preferences"

func (c cachedPreferences) Get(ctx context.Context, name string) (store.Preference, error) {
	return cache.Call(ctx, c.cache, preferenceSpace, name, func(ctx context.Context) (store.Preference, error) {
		return c.Preferences.Get(ctx, name)
	})
}

func (c cachedPreferences) Put(ctx context.Context, p store.Preference) error {
	return c.cache.Change(ctx, preferenceSpace, p.Name, func() error { return c.Preferences.Put(ctx, p) })
}

func (c cachedPreferences) Delete(ctx context.Context, name string) error {
	return c.cache.Change(ctx, preferenceSpace, name, func() error { return c.Preferences.Delete(ctx, name) })
}
