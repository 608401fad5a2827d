package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Document is a text that a tenant owns.
type Document struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"` // unique within its tenant
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Change is an update; a nil field stays as it is.
type Change struct{ Slug, Title, Body *string }

// Documents of the tenant in the context. Every method answers ErrNotFound for a foreign document as for an unknown
// one, and tenant.ErrMissing without a tenant.
type Documents interface {
	Create(ctx context.Context, slug, title, body string) (Document, error)
	Get(ctx context.Context, id string) (Document, error)
	// List returns the newest documents, at most limit, that hold q in title or body, and how many there are in all.
	List(ctx context.Context, q string, limit int) ([]Document, int, error)
	Update(ctx context.Context, id string, c Change) (Document, error)
	Delete(ctx context.Context, id string) error
}

type documents struct{ db *DB }

// NewDocuments keeps documents in Postgres.
func NewDocuments(db *DB) Documents { return documents{db} }

func (d documents) one(ctx context.Context, statement string, args pgx.NamedArgs) (doc Document, err error) {
	found := false
	err = d.db.query(ctx, statement, args, func(rows pgx.Rows) error {
		found = true
		return scanDocument(rows, &doc)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return doc, err
}

func scanDocument(rows pgx.Rows, doc *Document, more ...any) error {
	return rows.Scan(append([]any{&doc.ID, &doc.Slug, &doc.Title, &doc.Body, &doc.CreatedAt, &doc.UpdatedAt}, more...)...)
}

func (d documents) Create(ctx context.Context, slug, title, body string) (Document, error) {
	return d.one(ctx, DocumentCreate, pgx.NamedArgs{"id": uuid.NewString(), "slug": slug, "title": title, "body": body})
}

func (d documents) Get(ctx context.Context, id string) (Document, error) {
	return d.one(ctx, DocumentGet, pgx.NamedArgs{"id": id})
}

func (d documents) List(ctx context.Context, q string, limit int) (docs []Document, total int, err error) {
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q) + "%"
	docs = []Document{}
	err = d.db.query(ctx, DocumentList, pgx.NamedArgs{"q": q, "like": like, "limit": limit}, func(rows pgx.Rows) error {
		var doc Document
		defer func() { docs = append(docs, doc) }()
		return scanDocument(rows, &doc, &total)
	})
	return docs, total, err
}

func (d documents) Update(ctx context.Context, id string, c Change) (Document, error) {
	return d.one(ctx, DocumentUpdate, pgx.NamedArgs{"id": id, "slug": c.Slug, "title": c.Title, "body": c.Body})
}

func (d documents) Delete(ctx context.Context, id string) error {
	return d.db.affected(ctx, DocumentDelete, pgx.NamedArgs{"id": id})
}
