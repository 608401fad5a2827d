package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// APIKey is what a program of a tenant acts by. The key itself is known by its digest only.
type APIKey struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Scope     string    `json:"scope"` // what it may do: words with spaces between
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// APIKeys of the tenant in the context, under the same rules as Documents. A key that has expired opens nothing, and goes with the
// next one that is made.
type APIKeys interface {
	// Create keeps a key; ErrFull when the tenant has fifty.
	Create(ctx context.Context, name, scope, digest string, lifetime time.Duration) (APIKey, error)
	Get(ctx context.Context, id string) (APIKey, error)
	List(ctx context.Context, limit int) ([]APIKey, error)
	// Rotate makes a successor that may do the same for as long. The old key is good for the overlap, and not at all when that is 0.
	Rotate(ctx context.Context, id, digest string, overlap time.Duration) (APIKey, error)
	Revoke(ctx context.Context, id string) error
	// Find returns the key with a digest, and Live the one with an id, or ErrNotFound when it opens nothing.
	Find(ctx context.Context, digest string) (APIKey, error)
	Live(ctx context.Context, id string) (APIKey, error)
}

// Names of the statements of API keys.
const (
	APIKeyCreate = "apikey.create"
	APIKeyGet    = "apikey.get"
	APIKeyList   = "apikey.list"
	APIKeyRotate = "apikey.rotate"
	APIKeyRevoke = "apikey.revoke"
	APIKeyFind   = "apikey.find"
	APIKeyLive   = "apikey.live"
)

const apiKeyColumns = `id, name, scope, created_by, created_at, expires_at`

func apiKeysTable() table {
	return table{
		name: "api_keys", moved: apiKeyColumns + ", lifetime, digest", order: "id",
		definition: `id uuid not null, name text not null, scope text not null, created_by text not null, created_at timestamptz not null,
			expires_at timestamptz not null, lifetime bigint not null, digest text not null, primary key (tenant_id, id), unique (tenant_id, digest)`,
	}
}

func apiKeyStatements() Statements {
	const (
		of   = `select ` + apiKeyColumns + ` from api_keys where tenant_id = @tenant::uuid`
		into = `insert into api_keys (tenant_id, id, name, scope, created_by, created_at, expires_at, lifetime, digest) `
		room = ` (select count(*) from api_keys where tenant_id = @tenant::uuid and expires_at > @now) < 50 returning ` + apiKeyColumns
	)
	return Statements{
		APIKeyCreate: `with expired as (delete from api_keys where tenant_id = @tenant::uuid and expires_at <= @now) ` + into + `
			select @tenant::uuid, @id::uuid, @name, @scope, @actor, @now::timestamptz, @now::timestamptz + @lifetime::bigint * interval '1 second',
				@lifetime::bigint, @digest where` + room,
		APIKeyGet:  of + ` and id = @uuid::uuid`,
		APIKeyList: of + ` order by created_at desc, id desc limit @limit`,
		APIKeyRotate: `with old as (update api_keys set expires_at = least(expires_at, @until)
				where tenant_id = @tenant::uuid and id = @uuid::uuid and expires_at > @now returning name, scope, lifetime) ` + into + `
			select @tenant::uuid, @id::uuid, name, scope, @actor, @now::timestamptz, @now::timestamptz + lifetime * interval '1 second',
				lifetime, @digest from old returning ` + apiKeyColumns,
		APIKeyRevoke: `delete from api_keys where tenant_id = @tenant::uuid and id = @uuid::uuid`,
		APIKeyFind:   of + ` and digest = @digest and expires_at > @now`,
		APIKeyLive:   of + ` and id = @uuid::uuid and expires_at > @now`,
	}
}

type apiKeys struct{ db *DB }

// NewAPIKeys keeps API keys in Postgres.
func NewAPIKeys(db *DB) APIKeys { return apiKeys{db} }

func (k apiKeys) Create(ctx context.Context, name, scope, digest string, lifetime time.Duration) (APIKey, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return APIKey{}, err
	}
	made, err := one[APIKey](ctx, k.db, APIKeyCreate, pgx.NamedArgs{
		"id": uuid.NewString(), "name": name, "scope": scope, "digest": digest, "actor": identity.User,
		"now": k.db.now(), "lifetime": int64(lifetime.Seconds()),
	})
	if errors.Is(err, ErrNotFound) {
		err = ErrFull
	}
	return made, err
}

func (k apiKeys) Get(ctx context.Context, id string) (APIKey, error) {
	return one[APIKey](ctx, k.db, APIKeyGet, byID(id))
}

func (k apiKeys) List(ctx context.Context, limit int) ([]APIKey, error) {
	return many[APIKey](ctx, k.db, APIKeyList, pgx.NamedArgs{"limit": limit})
}

func (k apiKeys) Rotate(ctx context.Context, id, digest string, overlap time.Duration) (APIKey, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return APIKey{}, err
	}
	args, now := byID(id), k.db.now()
	args["id"], args["digest"], args["actor"] = uuid.NewString(), digest, identity.User
	args["now"], args["until"] = now, now.Add(overlap)
	return one[APIKey](ctx, k.db, APIKeyRotate, args)
}

func (k apiKeys) Revoke(ctx context.Context, id string) error {
	return k.db.affected(ctx, APIKeyRevoke, byID(id))
}

func (k apiKeys) Find(ctx context.Context, digest string) (APIKey, error) {
	return one[APIKey](ctx, k.db, APIKeyFind, pgx.NamedArgs{"digest": digest, "now": k.db.now()})
}

func (k apiKeys) Live(ctx context.Context, id string) (APIKey, error) {
	args := byID(id)
	args["now"] = k.db.now()
	return one[APIKey](ctx, k.db, APIKeyLive, args)
}
