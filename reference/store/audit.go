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
	list := []Entry{}
	err := a.db.query(ctx, AuditList, pgx.NamedArgs{"limit": limit}, func(rows pgx.Rows) error {
		var e Entry
		defer func() { list = append(list, e) }()
		return rows.Scan(&e.At, &e.Actor, &e.Action, &e.Object)
	})
	return list, err
}
