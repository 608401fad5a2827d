package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Project holds notes.
type Project struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"` // unique within its tenant
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// Projects of the tenant in the context, under the same rules as Documents.
type Projects interface {
	Create(ctx context.Context, slug, name string) (Project, error)
	Get(ctx context.Context, id string) (Project, error)
	List(ctx context.Context, p Page) ([]Project, error)
	Rename(ctx context.Context, id, name string) (Project, error)
	// Delete takes the notes with it.
	Delete(ctx context.Context, id string) error
}

// Names of the statements of projects.
const (
	ProjectCreate = "project.create"
	ProjectGet    = "project.get"
	ProjectList   = "project.list"
	ProjectRename = "project.rename"
	ProjectDelete = "project.delete"
)

const projectColumns = `id, slug, name, created_at`

func projectsTable() table {
	return table{
		name: "projects", moved: projectColumns, order: "id",
		definition: `id uuid not null, slug text not null, name text not null, created_at timestamptz not null default now(),
			primary key (tenant_id, id), unique (tenant_id, slug)`,
	}
}

func projectStatements() Statements {
	return Statements{
		ProjectCreate: `insert into projects (tenant_id, id, slug, name)
			values (@tenant::uuid, @id::uuid, @slug, @name) returning ` + projectColumns,
		ProjectGet: `select ` + projectColumns + ` from projects where tenant_id = @tenant::uuid and id = @uuid::uuid`,
		ProjectList: `select ` + projectColumns + ` from projects where tenant_id = @tenant::uuid
				and (@after_at::timestamptz is null or (created_at, id) < (@after_at::timestamptz, @after_id::uuid))
			order by created_at desc, id desc limit @limit`,
		ProjectRename: `update projects set name = @name
			where tenant_id = @tenant::uuid and id = @uuid::uuid returning ` + projectColumns,
		ProjectDelete: `delete from projects where tenant_id = @tenant::uuid and id = @uuid::uuid`,
	}
}

type projects struct{ db *DB }

// NewProjects keeps projects in Postgres.
func NewProjects(db *DB) Projects { return projects{db} }

func (p projects) Create(ctx context.Context, slug, name string) (Project, error) {
	return one[Project](ctx, p.db, ProjectCreate, pgx.NamedArgs{"id": uuid.NewString(), "slug": slug, "name": name})
}

func (p projects) Get(ctx context.Context, id string) (Project, error) {
	return one[Project](ctx, p.db, ProjectGet, byID(id))
}

func (p projects) List(ctx context.Context, page Page) ([]Project, error) {
	return many[Project](ctx, p.db, ProjectList, page.args())
}

func (p projects) Rename(ctx context.Context, id, name string) (Project, error) {
	args := byID(id)
	args["name"] = name
	return one[Project](ctx, p.db, ProjectRename, args)
}

func (p projects) Delete(ctx context.Context, id string) error {
	return p.db.affected(ctx, ProjectDelete, byID(id))
}
