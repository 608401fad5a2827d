package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// Errors of doing something once.
var (
	ErrOnceBusy  = errors.New("the first request with this idempotency key is not done yet")
	ErrOnceOther = errors.New("the idempotency key was used for another request")
)

// Answer is what the first request with an idempotency key was answered.
type Answer struct {
	Status int
	Body   string
}

// Once remembers for a day what requests with an idempotency key were answered, for each user of the tenant in the context:
// the same key of somebody else is another key.
type Once interface {
	// Claim returns the answer of the first request; nil when this is the first, which then must end with Keep or Release.
	// ErrOnceBusy while the first is not done, ErrOnceOther when its fingerprint was another. A claim that was left behind
	// is given away after a minute.
	Claim(ctx context.Context, key, fingerprint string) (*Answer, error)
	Keep(ctx context.Context, key string, a Answer) error
	Release(ctx context.Context, key string) error
}

// Names of the statements of Once.
const (
	OnceClaim   = "once.claim"
	OnceGet     = "once.get"
	OnceKeep    = "once.keep"
	OnceRelease = "once.release"
)

func oncesTable() table {
	return table{
		name: "onces", moved: "actor, key, fingerprint, status, body, created_at", order: "actor, key",
		definition: `actor text not null, key text not null, fingerprint text not null, status int not null default 0,
			body text not null default '', created_at timestamptz not null default now(), primary key (tenant_id, actor, key)`,
		more: `create index onces_by_age on onces (tenant_id, created_at)`,
	}
}

func onceStatements() Statements {
	const row = ` where tenant_id = @tenant::uuid and actor = @actor and key = @key`
	return Statements{
		// What has expired goes with the next claim of whichever user: an answer may hold what its tenant has deleted meanwhile.
		OnceClaim: `with expired as (
				delete from onces where tenant_id = @tenant::uuid and created_at < @now::timestamptz - interval '1 day' and (actor, key) <> (@actor, @key))
			insert into onces as o (tenant_id, actor, key, fingerprint, created_at) values (@tenant::uuid, @actor, @key, @fingerprint, @now)
			on conflict (tenant_id, actor, key) do update
				set fingerprint = excluded.fingerprint, status = 0, body = '', created_at = excluded.created_at
				where o.status = 0 and o.created_at < @now::timestamptz - interval '1 minute' or o.created_at < @now::timestamptz - interval '1 day'`,
		OnceGet:     `select fingerprint, status, body from onces` + row,
		OnceKeep:    `update onces set status = @status, body = @body` + row,
		OnceRelease: `delete from onces` + row + ` and status = 0`,
	}
}

type once struct{ db *DB }

// NewOnce remembers in Postgres.
func NewOnce(db *DB) Once { return once{db} }

func (o once) Claim(ctx context.Context, key, fingerprint string) (*Answer, error) {
	args, err := o.args(ctx, key)
	if err != nil {
		return nil, err
	}
	args["fingerprint"], args["now"] = fingerprint, o.db.now()
	if err := o.db.affected(ctx, OnceClaim, args); !errors.Is(err, ErrNotFound) {
		return nil, err // the claim is ours, or cannot be made
	}
	type first struct {
		Fingerprint string
		Answer
	}
	got, err := one[first](ctx, o.db, OnceGet, args)
	switch {
	case errors.Is(err, ErrNotFound): // it was released this moment
		return nil, ErrOnceBusy
	case err != nil:
		return nil, err
	case got.Fingerprint != fingerprint:
		return nil, ErrOnceOther
	case got.Status == 0:
		return nil, ErrOnceBusy
	}
	return &got.Answer, nil
}

func (o once) Keep(ctx context.Context, key string, a Answer) error {
	args, err := o.args(ctx, key)
	if err != nil {
		return err
	}
	args["status"], args["body"] = a.Status, a.Body
	return o.db.affected(ctx, OnceKeep, args)
}

func (o once) Release(ctx context.Context, key string) error {
	args, err := o.args(ctx, key)
	if err != nil {
		return err
	}
	return o.db.query(ctx, OnceRelease, args, nil)
}

func (once) args(ctx context.Context, key string) (pgx.NamedArgs, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return nil, err
	}
	return pgx.NamedArgs{"actor": identity.User, "key": key}, nil
}
