package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// Comment on a document.
type Comment struct {
	ID         string    `json:"id"`
	DocumentID string    `json:"document_id"`
	Author     string    `json:"author"`
	Text       string    `json:"text"`
	CreatedAt  time.Time `json:"created_at"`
}

// Comments on documents of the tenant in the context. A comment is found under its own document only: every other pair of
// ids answers ErrNotFound, as does a document in the trash.
type Comments interface {
	Create(ctx context.Context, document, text string) (Comment, error)
	Get(ctx context.Context, document, id string) (Comment, error)
	List(ctx context.Context, document string, limit int) ([]Comment, error)
	Delete(ctx context.Context, document, id string) error
}

// Names of the statements of comments.
const (
	CommentCreate = "comment.create"
	CommentGet    = "comment.get"
	CommentList   = "comment.list"
	CommentDelete = "comment.delete"
)

const commentColumns = `c.id, c.document_id, c.author, c.text, c.created_at`

// commented joins comments to the document they stand under.
const commented = ` comments c join documents d on d.tenant_id = c.tenant_id and d.id = c.document_id and d.deleted_at is null
	where c.tenant_id = @tenant::uuid and d.tenant_id = @tenant::uuid and d.id = @document::uuid`

func commentsTable() table {
	return table{
		name: "comments", moved: "id, document_id, author, text, created_at", order: "id",
		definition: `id uuid not null, document_id uuid not null, author text not null, text text not null,
			created_at timestamptz not null default now(), primary key (tenant_id, id),
			foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade`,
		more: `create index comments_of_document on comments (tenant_id, document_id, created_at)`,
	}
}

func commentStatements() Statements {
	return Statements{
		CommentCreate: `insert into comments as c (tenant_id, id, document_id, author, text)
			select tenant_id, @id::uuid, id, @author, @text from documents
			where tenant_id = @tenant::uuid and id = @document::uuid and deleted_at is null returning ` + commentColumns,
		CommentGet:  `select ` + commentColumns + ` from` + commented + ` and c.id = @uuid::uuid`,
		CommentList: `select ` + commentColumns + ` from` + commented + ` order by c.created_at desc, c.id desc limit @limit`,
		CommentDelete: `delete from comments c using documents d
			where d.tenant_id = @tenant::uuid and d.id = @document::uuid and d.deleted_at is null
				and c.tenant_id = @tenant::uuid and c.document_id = d.id and c.id = @uuid::uuid`,
	}
}

type comments struct{ db *DB }

// NewComments keeps comments in Postgres.
func NewComments(db *DB) Comments { return comments{db} }

func (c comments) Create(ctx context.Context, document, text string) (Comment, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return Comment{}, err
	}
	return one[Comment](ctx, c.db, CommentCreate, pgx.NamedArgs{
		"id": uuid.NewString(), "document": parsed(document), "author": identity.User, "text": text,
	})
}

func (c comments) Get(ctx context.Context, document, id string) (Comment, error) {
	return one[Comment](ctx, c.db, CommentGet, under("document", document, id))
}

func (c comments) List(ctx context.Context, document string, limit int) ([]Comment, error) {
	if _, err := one[Document](ctx, c.db, DocumentGet, byID(document)); err != nil {
		return nil, err
	}
	return many[Comment](ctx, c.db, CommentList, pgx.NamedArgs{"document": parsed(document), "limit": limit})
}

func (c comments) Delete(ctx context.Context, document, id string) error {
	return c.db.affected(ctx, CommentDelete, under("document", document, id))
}

// under names a row beneath another.
func under(parent, parentID, id string) pgx.NamedArgs {
	args := byID(id)
	args[parent] = parsed(parentID)
	return args
}
