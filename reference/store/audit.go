package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// Entry of the audit trail. It names what was done to what by whom, and from where, and never a value.
type Entry struct {
	Seq     int64     `json:"seq"` // in the tenant's trail, without a gap
	At      time.Time `json:"at"`  // by the database's clock; never before the entry before
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Object  string    `json:"object"`
	Outcome string    `json:"outcome"`
	IP      string    `json:"ip"`
	Agent   string    `json:"agent"`
	Request string    `json:"request"`
}

// Outcomes of what is on record.
const (
	Done    = "done"
	Refused = "refused"
)

// Span narrows a list of entries; zero values do not. Entries are listed from the newest on.
type Span struct {
	From, To time.Time // To is the first moment that does not belong to it
	Before   int64     // numbers below it
	Limit    int
}

// Audit is the trail of the tenant in the context. Each entry holds a digest of itself and of the one before, so that none can be
// changed, left out or put in between without the chain showing it: see chain.go. The application's role may add entries and read
// them; it can neither change nor delete one, nor say what an entry's number, time or digest is.
type Audit interface {
	// Append notes what was done.
	Append(ctx context.Context, action, object string) error
	// Refuse notes what was tried and refused.
	Refuse(ctx context.Context, action, object string) error
	List(ctx context.Context, s Span) ([]Entry, error)
	// Verify goes through the whole chain.
	Verify(ctx context.Context) (Verified, error)
	// Prune takes away what is older, which leaves a chain that begins later and says so. It returns how many entries went.
	Prune(ctx context.Context, before time.Time) (int, error)
}

// Names of the statements of the trail.
const (
	AuditAppend = "audit.append"
	AuditList   = "audit.list"
	AuditChain  = "audit.chain"
	AuditPrune  = "audit.prune"
)

// AuditColumns are those of an Entry.
const AuditColumns = `seq, at, actor, action, object, outcome, ip, agent, request`

func auditStatements() Statements {
	return Statements{
		AuditAppend: `insert into audit (tenant_id, actor, action, object, outcome, ip, agent, request)
			values (@tenant::uuid, @actor, @action, @object, @outcome, @ip, @agent, @request)`,
		AuditList: `select ` + AuditColumns + ` from audit where tenant_id = @tenant::uuid
			and (@from::timestamptz is null or at >= @from) and (@to::timestamptz is null or at < @to) and (@before::bigint = 0 or seq < @before)
			order by seq desc limit @limit`,
		// One statement sees one moment: an entry that is added meanwhile is neither half seen nor missed.
		AuditChain: `select coalesce(h.seq, 0), h.hash, coalesce(h.base_seq, 0), h.base_hash, coalesce(a.seq, 0), a.hash, coalesce(a.at, 'epoch'),
			coalesce(a.actor, ''), coalesce(a.action, ''), coalesce(a.object, ''), coalesce(a.outcome, ''), coalesce(a.ip, ''), coalesce(a.agent, ''),
			coalesce(a.request, '')
			from (select @tenant::uuid as tenant_id) t left join audit_heads h using (tenant_id) left join audit a using (tenant_id) order by a.seq`,
		AuditPrune: `select audit_prune(@tenant::uuid, @before)`,
	}
}

type audit struct {
	db      *DB
	anchors *Anchors
}

// NewAudit keeps the trail in Postgres, and holds it against the anchors, if there are any.
func NewAudit(db *DB, anchors *Anchors) Audit { return audit{db, anchors} }

func (a audit) Append(ctx context.Context, action, object string) error {
	return a.append(ctx, action, object, Done)
}

func (a audit) Refuse(ctx context.Context, action, object string) error {
	return a.append(ctx, action, object, Refused)
}

func (a audit) append(ctx context.Context, action, object, outcome string) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	from := tenant.OriginOf(ctx)
	return a.db.query(ctx, AuditAppend, pgx.NamedArgs{
		"actor": id.User, "action": action, "object": object, "outcome": outcome, "ip": from.IP, "agent": from.Agent, "request": from.Request,
	}, nil)
}

func (a audit) List(ctx context.Context, s Span) ([]Entry, error) {
	return many[Entry](ctx, a.db, AuditList, pgx.NamedArgs{"from": moment(s.From), "to": moment(s.To), "before": s.Before, "limit": s.Limit})
}

// moment is a time, or none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a audit) Prune(ctx context.Context, before time.Time) (removed int, err error) {
	err = a.db.query(ctx, AuditPrune, pgx.NamedArgs{"before": before}, func(r pgx.Rows) error { return r.Scan(&removed) })
	return removed, err
}
