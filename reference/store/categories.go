package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Category is what documents may refer to.
type Category struct {
	ID   string `json:"id"`
	Name string `json:"name"` // unique within its tenant
}

// Categories of the tenant in the context, under the same rules as Documents.
type Categories interface {
	Create(ctx context.Context, name string) (Category, error)
	Get(ctx context.Context, id string) (Category, error)
	List(ctx context.Context) ([]Category, error)
	Rename(ctx context.Context, id, name string) (Category, error)
	// Delete takes its documents out of the category.
	Delete(ctx context.Context, id string) error
}

// Names of the statements of categories.
const (
	CategoryCreate = "category.create"
	CategoryGet    = "category.get"
	CategoryList   = "category.list"
	CategoryRename = "category.rename"
	CategoryDelete = "category.delete"
)

func categoriesTable() table {
	return table{
		name: "categories", moved: "id, name", order: "id",
		definition: `id uuid not null, name text not null, primary key (tenant_id, id), unique (tenant_id, name)`,
	}
}

func categoryStatements() Statements {
	return Statements{
		CategoryCreate: `insert into categories (tenant_id, id, name) values (@tenant::uuid, @id::uuid, @name) returning id, name`,
		CategoryGet:    `select id, name from categories where tenant_id = @tenant::uuid and id = @uuid::uuid`,
		CategoryList:   `select id, name from categories where tenant_id = @tenant::uuid order by name limit 500`,
		CategoryRename: `update categories set name = @name where tenant_id = @tenant::uuid and id = @uuid::uuid returning id, name`,
		CategoryDelete: `delete from categories where tenant_id = @tenant::uuid and id = @uuid::uuid`,
	}
}

type categories struct{ db *DB }

// NewCategories keeps categories in Postgres.
func NewCategories(db *DB) Categories { return categories{db} }

func (c categories) Create(ctx context.Context, name string) (Category, error) {
	return one[Category](ctx, c.db, CategoryCreate, pgx.NamedArgs{"id": uuid.NewString(), "name": name})
}

func (c categories) Get(ctx context.Context, id string) (Category, error) {
	return one[Category](ctx, c.db, CategoryGet, byID(id))
}

func (c categories) List(ctx context.Context) ([]Category, error) {
	return many[Category](ctx, c.db, CategoryList, pgx.NamedArgs{})
}

func (c categories) Rename(ctx context.Context, id, name string) (Category, error) {
	args := byID(id)
	args["name"] = name
	return one[Category](ctx, c.db, CategoryRename, args)
}

func (c categories) Delete(ctx context.Context, id string) error {
	return c.db.affected(ctx, CategoryDelete, byID(id))
}
