package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// Overrides that stand at the tenant in the context. What has to be remembered of them is in its trail.
type Overrides interface {
	// Grant lets the acting operator in for a while.
	Grant(ctx context.Context, reason string, lifetime time.Duration) (tenant.Override, error)
	// Live answers ErrNotFound unless the override of the acting identity stands.
	Live(ctx context.Context) error
	// List returns those that stand.
	List(ctx context.Context, limit int) ([]tenant.Override, error)
	Revoke(ctx context.Context, id string) error
}

// Names of the statements of overrides.
const (
	OverrideGrant  = "override.grant"
	OverrideLive   = "override.live"
	OverrideList   = "override.list"
	OverrideRevoke = "override.revoke"
)

func overridesTable() table {
	return table{
		name: "overrides", access: true, moved: "id, operator, reason, expires_at", order: "id",
		definition: `id uuid not null, operator text not null, reason text not null, expires_at timestamptz not null, primary key (tenant_id, id)`,
	}
}

func overrideStatements() Statements {
	return Statements{
		OverrideGrant: `with expired as (delete from overrides where tenant_id = @tenant::uuid and expires_at <= @now)
			insert into overrides (tenant_id, id, operator, reason, expires_at) values (@tenant::uuid, @id::uuid, @actor, @reason, @until)`,
		OverrideLive: `select id, operator, reason, expires_at as until from overrides
			where tenant_id = @tenant::uuid and id = @uuid::uuid and operator = @actor and expires_at > @now`,
		OverrideList: `select id, operator, reason, expires_at as until from overrides
			where tenant_id = @tenant::uuid and expires_at > @now order by expires_at, id limit @limit`,
		OverrideRevoke: `delete from overrides where tenant_id = @tenant::uuid and id = @uuid::uuid`,
	}
}

type overrides struct{ db *DB }

// NewOverrides keeps overrides in Postgres.
func NewOverrides(db *DB) Overrides { return overrides{db} }

func (o overrides) Grant(ctx context.Context, reason string, lifetime time.Duration) (tenant.Override, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return tenant.Override{}, err
	}
	now := o.db.now()
	granted := tenant.Override{ID: uuid.NewString(), Operator: identity.User, Reason: reason, Until: now.Add(lifetime)}
	return granted, o.db.query(ctx, OverrideGrant, pgx.NamedArgs{
		"id": granted.ID, "actor": granted.Operator, "reason": reason, "now": now, "until": granted.Until,
	}, nil)
}

func (o overrides) Live(ctx context.Context) error {
	identity, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	args := byID(identity.Override.ID)
	args["actor"], args["now"] = identity.User, o.db.now()
	_, err = one[tenant.Override](ctx, o.db, OverrideLive, args)
	return err
}

func (o overrides) List(ctx context.Context, limit int) ([]tenant.Override, error) {
	return many[tenant.Override](ctx, o.db, OverrideList, pgx.NamedArgs{"now": o.db.now(), "limit": limit})
}

func (o overrides) Revoke(ctx context.Context, id string) error {
	return o.db.affected(ctx, OverrideRevoke, byID(id))
}
