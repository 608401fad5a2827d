package store

import (
	"context"
	"time"
)

// Trashed is a document in the trash.
type Trashed struct {
	Document
	DeletedAt time.Time `json:"deleted_at"`
}

// Trash holds the deleted documents of the tenant in the context, under the same rules as Documents.
type Trash interface {
	List(ctx context.Context, p Page) ([]Trashed, error)
	// Restore takes a document out of the trash; ErrConflict when another has taken its slug meanwhile.
	Restore(ctx context.Context, id string) (Document, error)
	// Purge deletes a document in the trash for good.
	Purge(ctx context.Context, id string) error
}

// Names of the statements of the trash.
const (
	TrashList    = "trash.list"
	TrashRestore = "trash.restore"
	TrashPurge   = "trash.purge"
)

func trashStatements() Statements {
	return Statements{
		TrashList: `select ` + DocumentColumns + `, deleted_at from documents
			where tenant_id = @tenant::uuid and deleted_at is not null
				and (@after_at::timestamptz is null or (created_at, id) < (@after_at::timestamptz, @after_id::uuid))
			order by created_at desc, id desc limit @limit`,
		TrashRestore: `update documents set deleted_at = null
			where tenant_id = @tenant::uuid and id = @uuid::uuid and deleted_at is not null returning ` + DocumentColumns,
		// The upsert finds the document's total, or none where the document is older than quotas.
		TrashPurge: `with gone as (
				delete from documents where tenant_id = @tenant::uuid and id = @uuid::uuid and deleted_at is not null returning 1)
			insert into quotas as q (tenant_id, kind, name, used) select @tenant::uuid, 'documents', '', 0 from gone
			on conflict (tenant_id, kind, name) do update set used = greatest(0, q.used - 1)`,
	}
}

type trash struct{ db *DB }

// NewTrash is the trash of the documents in Postgres.
func NewTrash(db *DB) Trash { return trash{db} }

func (t trash) List(ctx context.Context, p Page) ([]Trashed, error) {
	return many[Trashed](ctx, t.db, TrashList, p.args())
}

func (t trash) Restore(ctx context.Context, id string) (Document, error) {
	return one[Document](ctx, t.db, TrashRestore, byID(id))
}

func (t trash) Purge(ctx context.Context, id string) error {
	return t.db.affected(ctx, TrashPurge, byID(id))
}
