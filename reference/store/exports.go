package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// ErrFull means that the tenant has as many as it may have of what it asks for.
var ErrFull = errors.New("the tenant has as many of these as it may have")

// States of an export.
const (
	ExportQueued  = "queued"
	ExportRunning = "running"
	ExportDone    = "done"
	ExportFailed  = "failed"
)

// Export of all that a tenant has.
type Export struct {
	ID          string     `json:"id"`
	Status      string     `json:"status"`
	RequestedBy string     `json:"requested_by"`
	Size        int64      `json:"size"` // in bytes, once it is done
	CreatedAt   time.Time  `json:"created_at"`
	FinishedAt  *time.Time `json:"finished_at"`
}

// Exports of the tenant in the context, under the same rules as Documents.
type Exports interface {
	// Create answers ErrFull while the tenant has three that are younger than an hour and not finished.
	Create(ctx context.Context) (Export, error)
	Get(ctx context.Context, id string) (Export, error)
	List(ctx context.Context, p Page) ([]Export, error)
	// Start and Finish answer ErrNotFound for an export that is finished.
	Start(ctx context.Context, id string) (Export, error)
	Finish(ctx context.Context, id, status string, size int64) (Export, error)
}

// Names of the statements of exports.
const (
	ExportCreate = "export.create"
	ExportGet    = "export.get"
	ExportList   = "export.list"
	ExportStart  = "export.start"
	ExportFinish = "export.finish"
)

const exportColumns = `id, status, requested_by, size, created_at, finished_at`

func exportsTable() table {
	return table{
		name: "exports", moved: exportColumns, order: "id",
		definition: `id uuid not null, status text not null default 'queued' check (status in ('queued', 'running', 'done', 'failed')),
			requested_by text not null, size bigint not null default 0, created_at timestamptz not null default now(),
			finished_at timestamptz, primary key (tenant_id, id)`,
	}
}

func exportStatements() Statements {
	const open = ` where tenant_id = @tenant::uuid and id = @uuid::uuid and status in ('queued', 'running') returning ` + exportColumns
	return Statements{
		ExportCreate: `insert into exports (tenant_id, id, requested_by) select @tenant::uuid, @id::uuid, @user
			where (select count(*) from exports where tenant_id = @tenant::uuid and status in ('queued', 'running')
				and created_at > now() - interval '1 hour') < 3 returning ` + exportColumns,
		ExportGet: `select ` + exportColumns + ` from exports where tenant_id = @tenant::uuid and id = @uuid::uuid`,
		ExportList: `select ` + exportColumns + ` from exports where tenant_id = @tenant::uuid
				and (@after_at::timestamptz is null or (created_at, id) < (@after_at::timestamptz, @after_id::uuid))
			order by created_at desc, id desc limit @limit`,
		ExportStart:  `update exports set status = 'running'` + open,
		ExportFinish: `update exports set status = @status, size = @size, finished_at = now()` + open,
	}
}

type exports struct{ db *DB }

// NewExports keeps the state of exports in Postgres.
func NewExports(db *DB) Exports { return exports{db} }

func (e exports) Create(ctx context.Context) (Export, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return Export{}, err
	}
	made, err := one[Export](ctx, e.db, ExportCreate, pgx.NamedArgs{"id": uuid.NewString(), "user": identity.User})
	if errors.Is(err, ErrNotFound) {
		err = ErrFull
	}
	return made, err
}

func (e exports) Get(ctx context.Context, id string) (Export, error) {
	return one[Export](ctx, e.db, ExportGet, byID(id))
}

func (e exports) List(ctx context.Context, p Page) ([]Export, error) {
	return many[Export](ctx, e.db, ExportList, p.args())
}

func (e exports) Start(ctx context.Context, id string) (Export, error) {
	return one[Export](ctx, e.db, ExportStart, byID(id))
}

func (e exports) Finish(ctx context.Context, id, status string, size int64) (Export, error) {
	args := byID(id)
	args["status"], args["size"] = status, size
	return one[Export](ctx, e.db, ExportFinish, args)
}
