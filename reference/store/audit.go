package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// Entry of the audit trail. It names what was done to what by whom, and never a value.
type Entry struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Object string    `json:"object"`
}

// Audit is the append-only trail of the tenant in the context. The application's role may neither change nor delete
// entries.
type Audit interface {
	Append(ctx context.Context, action, object string) error
	List(ctx context.Context, limit int) ([]Entry, error)
}

// Names of the statements of the trail.
const (
	AuditAppend = "audit.append"
	AuditList   = "audit.list"
)

func auditTable() table {
	return table{
		name: "audit", moved: "at, actor, action, object", order: "id", trail: true,
		definition: `id bigint generated always as identity, at timestamptz not null default now(),
			actor text not null, action text not null, object text not null, primary key (tenant_id, id)`,
	}
}

func auditStatements() Statements {
	return Statements{
		AuditAppend: `insert into audit (tenant_id, actor, action, object) values (@tenant::uuid, @actor, @action, @object)`,
		AuditList: `select at, actor, action, object from audit where tenant_id = @tenant::uuid
			order by at desc, id desc limit @limit`,
	}
}

type audit struct{ db *DB }

// NewAudit keeps the trail in Postgres.
func NewAudit(db *DB) Audit { return audit{db} }

func (a audit) Append(ctx context.Context, action, object string) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	return a.db.query(ctx, AuditAppend, pgx.NamedArgs{"actor": id.User, "action": action, "object": object}, nil)
}

func (a audit) List(ctx context.Context, limit int) ([]Entry, error) {
	return many[Entry](ctx, a.db, AuditList, pgx.NamedArgs{"limit": limit})
}
