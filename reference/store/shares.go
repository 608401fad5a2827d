package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// Share of a document: who holds its token may read that document until it expires. The token is known by a digest only.
type Share struct {
	ID         string    `json:"id"`
	DocumentID string    `json:"document_id"`
	SharedBy   string    `json:"shared_by"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// SharedDocument is what a visitor sees of a document.
type SharedDocument struct {
	Title string `json:"title"`
	Body  string `json:"body"`
}

// Shares of documents of the tenant in the context. As with comments, every pair of ids but the right one answers ErrNotFound, and
// so does a document in the trash.
type Shares interface {
	Create(ctx context.Context, document, digest string, lifetime time.Duration) (Share, error)
	List(ctx context.Context, document string, limit int) ([]Share, error)
	Delete(ctx context.Context, document, id string) error
	// Read returns the one document that a token is for. It is all that a visitor may do.
	Read(ctx context.Context, digest string) (SharedDocument, error)
}

// Names of the statements of shares.
const (
	ShareCreate = "share.create"
	ShareList   = "share.list"
	ShareDelete = "share.delete"
	ShareRead   = "share.read"
)

const shareColumns = `h.id, h.document_id, h.shared_by, h.created_at, h.expires_at`

// shared joins shares to the document they open.
const shared = ` shares h join documents d on d.tenant_id = h.tenant_id and d.id = h.document_id and d.deleted_at is null
	where h.tenant_id = @tenant::uuid and d.tenant_id = @tenant::uuid`

func sharesTable() table {
	return table{
		name: "shares", access: true, moved: "id, document_id, shared_by, digest, created_at, expires_at", order: "id",
		definition: `id uuid not null, document_id uuid not null, shared_by text not null, digest text not null,
			created_at timestamptz not null, expires_at timestamptz not null, primary key (tenant_id, id), unique (tenant_id, digest),
			foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade`,
		more: `create index shares_of_document on shares (tenant_id, document_id, created_at)`,
	}
}

func shareStatements() Statements {
	return Statements{
		ShareCreate: `insert into shares as h (tenant_id, id, document_id, shared_by, digest, created_at, expires_at)
			select tenant_id, @id::uuid, id, @actor, @digest, @now::timestamptz, @until::timestamptz from documents
			where tenant_id = @tenant::uuid and id = @document::uuid and deleted_at is null returning ` + shareColumns,
		ShareList: `select ` + shareColumns + ` from` + shared + ` and d.id = @document::uuid
			order by h.created_at desc, h.id desc limit @limit`,
		ShareDelete: `delete from shares h using documents d
			where d.tenant_id = @tenant::uuid and d.id = @document::uuid and d.deleted_at is null
				and h.tenant_id = @tenant::uuid and h.document_id = d.id and h.id = @uuid::uuid`,
		ShareRead: `select d.title, d.body from` + shared + ` and h.digest = @digest and h.expires_at > @now`,
	}
}

type shares struct{ db *DB }

// NewShares keeps shares in Postgres.
func NewShares(db *DB) Shares { return shares{db} }

func (s shares) Create(ctx context.Context, document, digest string, lifetime time.Duration) (Share, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return Share{}, err
	}
	now := s.db.now()
	return one[Share](ctx, s.db, ShareCreate, pgx.NamedArgs{
		"id": uuid.NewString(), "document": parsed(document), "actor": identity.User, "digest": digest,
		"now": now, "until": now.Add(lifetime),
	})
}

func (s shares) List(ctx context.Context, document string, limit int) ([]Share, error) {
	if _, err := one[Document](ctx, s.db, DocumentGet, byID(document)); err != nil {
		return nil, err
	}
	return many[Share](ctx, s.db, ShareList, pgx.NamedArgs{"document": parsed(document), "limit": limit})
}

func (s shares) Delete(ctx context.Context, document, id string) error {
	return s.db.affected(ctx, ShareDelete, under("document", document, id))
}

func (s shares) Read(ctx context.Context, digest string) (SharedDocument, error) {
	return one[SharedDocument](ctx, s.db, ShareRead, pgx.NamedArgs{"digest": digest, "now": s.db.now()})
}
