// Package reference is a multi-tenant service that isolates its tenants properly: the good example, and the thing that
// planted faults break one way at a time.
//
// [Assemble] makes the parts, [New] is the only wiring. Between the two stands nothing but plain fields: a caller may
// wrap a part, replace a function, drop a list element or change a statement before New is called. The service itself
// knows nothing of that.
package reference

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/cache"
	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// Config of the service.
type Config struct {
	Strategy string // see store.Strategies; empty means "row"
	// HashCost of bcrypt; 0 means its default. Tests use the minimum.
	HashCost int
	// Log of the service; nil discards.
	Log *slog.Logger
}

// Parts are all that the service is made of.
type Parts struct {
	Service *backing.Service
	// OwnerSQL runs as the database owner before the service starts. The good service needs none.
	OwnerSQL []string
	// DB is shared by Documents, Preferences, Audit and Users; its statements are data.
	DB       *store.DB
	Cache    *cache.Cache
	Keys     *signing.Keys
	Verifier signing.Verifier
	API      api.Config
}

// Template is how the database of a strategy is made.
func Template(strategy string) (backing.Template, error) {
	if strategy == "" {
		strategy = "row"
	}
	s, err := store.ParseStrategy(strategy)
	if err != nil {
		return backing.Template{}, err
	}
	return backing.Template{Name: s.Name(), Migrate: s.Migration()}, nil
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
	strategy, err := store.ParseStrategy(cfg.Strategy)
	if err != nil {
		return nil, err
	}
	keys, err := signing.New()
	if err != nil {
		return nil, err
	}
	db := &store.DB{Pool: s.App, Statements: store.DefaultStatements(), Strategy: strategy}
	c := cache.New(s.Redis)
	limiter := ratelimit.New(s.Redis)
	tenants := &store.Tenants{Pool: s.App}
	users := store.NewUsers(db)
	files := blobs.New(s.S3, s.Bucket)
	p := &Parts{Service: s, DB: db, Cache: c, Keys: keys, Verifier: keys}
	p.API = api.Config{
		Gate:        api.Registered(tenants),
		Allow:       limiter.Allow,
		Documents:   store.NewDocuments(db),
		Preferences: cachedPreferences{store.NewPreferences(db), c},
		Audit:       store.NewAudit(db),
		Files:       files,
		Tenants:     tenants,
		Users:       users,
		Lifecycle: &lifecycle.Manager{
			Tenants: tenants, Users: users, HashCost: cfg.HashCost,
			NewID: func(string) tenant.ID { return tenant.New() },
			Purgers: []lifecycle.Purger{
				{Name: "rows", Purge: db.Purge},
				{Name: "cache", Purge: c.Purge},
				{Name: "files", Purge: files.Purge},
				{Name: "limits", Purge: limiter.Purge},
			},
		},
		Sign:        keys.Sign,
		KeySet:      keys.KeySet,
		OperatorKey: rand.Text(),
		Log:         cfg.Log,
	}
	// The verifier may be replaced until New is called.
	p.API.Authenticate = api.Token(func(token string) (tenant.Identity, error) { return p.Verifier.Verify(token) })
	return p, nil
}

// New wires the parts into the service's handler.
func New(ctx context.Context, p *Parts) (http.Handler, error) {
	for _, sql := range p.OwnerSQL {
		if _, err := p.Service.Owner.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("run as the database owner: %s: %w", sql, err)
		}
	}
	return api.New(p.API), nil
}

// cachedPreferences reads through the cache. Every write forgets the entry, before and after: a reader in between may
// have filled it with the old value.
type cachedPreferences struct {
	store.Preferences
	cache *cache.Cache
}

const preferenceSpace = "preferences"

func (c cachedPreferences) Get(ctx context.Context, name string) (p store.Preference, err error) {
	data, hit, err := c.cache.Get(ctx, preferenceSpace, name)
	if err != nil {
		return p, err
	}
	if hit && json.Unmarshal(data, &p) == nil {
		return p, nil
	}
	if p, err = c.Preferences.Get(ctx, name); err != nil {
		return p, err
	}
	if data, err = json.Marshal(p); err != nil {
		return p, err
	}
	return p, c.cache.Set(ctx, preferenceSpace, name, data)
}

func (c cachedPreferences) Put(ctx context.Context, p store.Preference) error {
	return c.change(ctx, p.Name, func() error { return c.Preferences.Put(ctx, p) })
}

func (c cachedPreferences) Delete(ctx context.Context, name string) error {
	return c.change(ctx, name, func() error { return c.Preferences.Delete(ctx, name) })
}

func (c cachedPreferences) change(ctx context.Context, name string, write func() error) error {
	if err := c.cache.Delete(ctx, preferenceSpace, name); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	return c.cache.Delete(ctx, preferenceSpace, name)
}
