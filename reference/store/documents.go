package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Document is a text that a tenant owns.
type Document struct {
	ID         string    `json:"id"`
	Slug       string    `json:"slug"` // unique among the tenant's documents that are not in the trash
	Title      string    `json:"title"`
	Body       string    `json:"body"`
	CategoryID *string   `json:"category_id"`
	Version    int       `json:"version"` // counts its changes, from 1
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// Draft is what a new document is made of.
type Draft struct {
	Slug, Title, Body string
	Category          *string
}

// Change is an update; a nil field stays as it is. An empty Category takes the document out of its category. Where Version is
// set, the document must still have it: else ErrChanged.
type Change struct {
	Slug, Title, Body, Category *string
	Version                     *int
}

// Filter narrows a list of documents.
type Filter struct {
	Text     string // held by title or body, whatever its case; empty: any
	Category string // empty: any
	Page
}

// Documents of the tenant in the context. Every method answers ErrNotFound for a foreign document as for an unknown
// one, ErrReference for a category that the tenant does not have, and tenant.ErrMissing without a tenant.
type Documents interface {
	Create(ctx context.Context, d Draft) (Document, error)
	Get(ctx context.Context, id string) (Document, error)
	// List returns one page, newest first, and how many documents there are on all pages; on a page that is empty it does
	// not know.
	List(ctx context.Context, f Filter) ([]Document, int, error)
	Update(ctx context.Context, id string, c Change) (Document, error)
	// Delete moves a document to the trash. Where version is not nil, the document must still have it: else ErrChanged.
	Delete(ctx context.Context, id string, version *int) error
	Clone(ctx context.Context, id, slug string) (Document, error)
	// GetAll and DeleteAll do it for all ids, or for none and answer ErrNotFound.
	GetAll(ctx context.Context, ids []string) ([]Document, error)
	DeleteAll(ctx context.Context, ids []string) error
}

// Names of the statements of documents.
const (
	DocumentCreate    = "document.create"
	DocumentGet       = "document.get"
	DocumentList      = "document.list"
	DocumentUpdate    = "document.update"
	DocumentDelete    = "document.delete"
	DocumentClone     = "document.clone"
	DocumentGetAll    = "document.get-all"
	DocumentDeleteAll = "document.delete-all"
)

// DocumentColumns are what statements that return documents select.
const DocumentColumns = `id, slug, title, body, category_id, version, created_at, updated_at`

func documentsTable() table {
	return table{
		name: "documents", moved: DocumentColumns + ", deleted_at", order: "id",
		definition: `id uuid not null, slug text not null, title text not null, body text not null, category_id uuid,
			version int not null default 1, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
			deleted_at timestamptz, primary key (tenant_id, id),
			foreign key (tenant_id, category_id) references categories (tenant_id, id) on delete set null (category_id)`,
		more: `create unique index documents_slug_of_tenant on documents (tenant_id, slug) where deleted_at is null;
			create index documents_by_age on documents (tenant_id, created_at desc, id desc)`,
	}
}

func documentStatements() Statements {
	return Statements{
		DocumentCreate: `with taken as (` + taken("documents", "1", "") + `)
			insert into documents (tenant_id, id, slug, title, body, category_id)
			select @tenant::uuid, @id::uuid, @slug, @title, @body, @category::uuid from taken returning ` + DocumentColumns,
		DocumentGet: `select ` + DocumentColumns + ` from documents
			where tenant_id = @tenant::uuid and id = @uuid::uuid and deleted_at is null`,
		DocumentList: `select * from (
				select ` + DocumentColumns + `, count(*) over () as total from documents
				where tenant_id = @tenant::uuid and deleted_at is null and (@q = '' or title ilike @like or body ilike @like)
					and (@category = '' or category_id::text = @category)) found
			where @after_at::timestamptz is null or (created_at, id) < (@after_at::timestamptz, @after_id::uuid)
			order by created_at desc, id desc limit @limit`,
		DocumentUpdate: `update documents set slug = coalesce(@slug, slug), title = coalesce(@title, title),
				body = coalesce(@body, body), category_id = case when @recategorize then @category::uuid else category_id end,
				version = version + 1, updated_at = now()
			where tenant_id = @tenant::uuid and id = @uuid::uuid and deleted_at is null and version = coalesce(@version, version)
			returning ` + DocumentColumns,
		DocumentDelete: `update documents set deleted_at = now()
			where tenant_id = @tenant::uuid and id = @uuid::uuid and deleted_at is null and version = coalesce(@version, version)`,
		DocumentClone: `with original as (
				select * from documents where tenant_id = @tenant::uuid and id = @uuid::uuid and deleted_at is null
			), taken as (` + taken("documents", "1", " and exists (select from original)") + `)
			insert into documents (tenant_id, id, slug, title, body, category_id)
			select tenant_id, @copy::uuid, @slug, title, body, category_id from original, taken returning ` + DocumentColumns,
		DocumentGetAll: `select ` + DocumentColumns + ` from documents
			where tenant_id = @tenant::uuid and id = any(@ids::uuid[]) and deleted_at is null
			order by array_position(@ids::uuid[], id)`,
		DocumentDeleteAll: `update documents set deleted_at = now()
			where tenant_id = @tenant::uuid and id = any(@ids::uuid[]) and deleted_at is null and cardinality(@ids::uuid[]) = (
				select count(*) from documents
				where tenant_id = @tenant::uuid and id = any(@ids::uuid[]) and deleted_at is null)`,
	}
}

type documents struct{ db *DB }

// NewDocuments keeps documents in Postgres.
func NewDocuments(db *DB) Documents { return documents{db} }

func (d documents) Create(ctx context.Context, draft Draft) (Document, error) {
	args := pgx.NamedArgs{"id": uuid.NewString(), "slug": draft.Slug, "title": draft.Title, "body": draft.Body, "category": nil}
	if draft.Category != nil && *draft.Category != "" {
		if args["category"] = parsed(*draft.Category); parsed(*draft.Category) == nil {
			return Document{}, ErrReference
		}
	}
	made, full, err := d.make(ctx, DocumentCreate, args)
	if errors.Is(err, ErrNotFound) {
		err = full
	}
	return made, err
}

// make runs a statement that makes a document, and says what it means if it made none for want of a quota.
func (d documents) make(ctx context.Context, name string, args pgx.NamedArgs) (made Document, full, err error) {
	quota, err := d.db.quota(ctx)
	if err != nil {
		return made, nil, err
	}
	args["quota"] = orNone(quota.Documents)
	made, err = one[Document](ctx, d.db, name, args)
	return made, fmt.Errorf("%w: %d documents", ErrQuota, quota.Documents), err
}

func (d documents) Get(ctx context.Context, id string) (Document, error) {
	return one[Document](ctx, d.db, DocumentGet, byID(id))
}

func (d documents) List(ctx context.Context, f Filter) ([]Document, int, error) {
	args := f.args()
	args["q"], args["like"], args["category"] = f.Text, containing(f.Text), f.Category
	type found struct {
		Document
		Total int
	}
	rows, err := many[found](ctx, d.db, DocumentList, args)
	list, total := make([]Document, len(rows)), 0
	for i, row := range rows {
		list[i], total = row.Document, row.Total
	}
	return list, total, err
}

// containing is the pattern of texts that hold q.
func containing(q string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q) + "%"
}

func (d documents) Update(ctx context.Context, id string, c Change) (Document, error) {
	args := byID(id)
	args["slug"], args["title"], args["body"], args["version"] = c.Slug, c.Title, c.Body, c.Version
	args["recategorize"], args["category"] = c.Category != nil, nil
	if c.Category != nil && *c.Category != "" {
		if args["category"] = parsed(*c.Category); parsed(*c.Category) == nil {
			args["category"] = uuid.NewString() // nobody has it, and the document is looked for first
		}
	}
	doc, err := one[Document](ctx, d.db, DocumentUpdate, args)
	return doc, d.changed(ctx, id, c.Version, err)
}

func (d documents) Delete(ctx context.Context, id string, version *int) error {
	args := byID(id)
	args["version"] = version
	return d.changed(ctx, id, version, d.db.affected(ctx, DocumentDelete, args))
}

// changed tells a document that is not there from one that has another version than was asked for.
func (d documents) changed(ctx context.Context, id string, version *int, err error) error {
	if version == nil || !errors.Is(err, ErrNotFound) {
		return err
	}
	if _, err := d.Get(ctx, id); err != nil {
		return err
	}
	return ErrChanged
}

func (d documents) Clone(ctx context.Context, id, slug string) (Document, error) {
	args := byID(id)
	args["copy"], args["slug"] = uuid.NewString(), slug
	made, full, err := d.make(ctx, DocumentClone, args)
	if errors.Is(err, ErrNotFound) {
		if _, missing := d.Get(ctx, id); missing == nil {
			err = full
		}
	}
	return made, err
}

func (d documents) GetAll(ctx context.Context, ids []string) ([]Document, error) {
	wanted, err := distinct(ids)
	if err != nil {
		return nil, err
	}
	docs, err := many[Document](ctx, d.db, DocumentGetAll, pgx.NamedArgs{"ids": wanted})
	if err == nil && len(docs) != len(wanted) {
		return nil, ErrNotFound
	}
	return docs, err
}

func (d documents) DeleteAll(ctx context.Context, ids []string) error {
	wanted, err := distinct(ids)
	if err != nil {
		return err
	}
	return d.db.affected(ctx, DocumentDeleteAll, pgx.NamedArgs{"ids": wanted})
}

// distinct are the ids without repetitions, or ErrNotFound when one was never given out.
func distinct(ids []string) (out []string, err error) {
	for _, id := range ids {
		if parsed(id) == nil {
			return nil, ErrNotFound
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}
