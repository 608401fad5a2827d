package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Note in a project.
type Note struct {
	ID        string    `json:"id"`
	ProjectID string    `json:"project_id"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

// Notes in projects of the tenant in the context. A note is found under its own project only: every other pair of ids
// answers ErrNotFound.
type Notes interface {
	Create(ctx context.Context, project, text string) (Note, error)
	Get(ctx context.Context, project, id string) (Note, error)
	List(ctx context.Context, project string, p Page) ([]Note, error)
	Update(ctx context.Context, project, id, text string) (Note, error)
	// Move takes a note to another project; ErrReference when the tenant does not have that one.
	Move(ctx context.Context, project, id, to string) (Note, error)
	Delete(ctx context.Context, project, id string) error
}

// Names of the statements of notes.
const (
	NoteCreate = "note.create"
	NoteGet    = "note.get"
	NoteList   = "note.list"
	NoteUpdate = "note.update"
	NoteMove   = "note.move"
	NoteDelete = "note.delete"
)

const (
	noteColumns = `id, project_id, text, created_at`
	noteByIDs   = ` where tenant_id = @tenant::uuid and project_id = @project::uuid and id = @uuid::uuid`
)

func notesTable() table {
	return table{
		name: "notes", moved: noteColumns, order: "id",
		definition: `id uuid not null, project_id uuid not null, text text not null, created_at timestamptz not null default now(),
			primary key (tenant_id, id), foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade`,
		more: `create index notes_of_project on notes (tenant_id, project_id, created_at desc, id desc)`,
	}
}

func noteStatements() Statements {
	return Statements{
		NoteCreate: `insert into notes (tenant_id, id, project_id, text)
			select tenant_id, @id::uuid, id, @text from projects where tenant_id = @tenant::uuid and id = @project::uuid
			returning ` + noteColumns,
		NoteGet: `select ` + noteColumns + ` from notes` + noteByIDs,
		NoteList: `select ` + noteColumns + ` from notes where tenant_id = @tenant::uuid and project_id = @project::uuid
				and (@after_at::timestamptz is null or (created_at, id) < (@after_at::timestamptz, @after_id::uuid))
			order by created_at desc, id desc limit @limit`,
		NoteUpdate: `update notes set text = @text` + noteByIDs + ` returning ` + noteColumns,
		NoteMove:   `update notes set project_id = @to::uuid` + noteByIDs + ` returning ` + noteColumns,
		NoteDelete: `delete from notes` + noteByIDs,
	}
}

type notes struct{ db *DB }

// NewNotes keeps notes in Postgres.
func NewNotes(db *DB) Notes { return notes{db} }

func (n notes) Create(ctx context.Context, project, text string) (Note, error) {
	return one[Note](ctx, n.db, NoteCreate, pgx.NamedArgs{"id": uuid.NewString(), "project": parsed(project), "text": text})
}

func (n notes) Get(ctx context.Context, project, id string) (Note, error) {
	return one[Note](ctx, n.db, NoteGet, under("project", project, id))
}

func (n notes) List(ctx context.Context, project string, p Page) ([]Note, error) {
	if _, err := one[Project](ctx, n.db, ProjectGet, byID(project)); err != nil {
		return nil, err
	}
	args := p.args()
	args["project"] = parsed(project)
	return many[Note](ctx, n.db, NoteList, args)
}

func (n notes) Update(ctx context.Context, project, id, text string) (Note, error) {
	args := under("project", project, id)
	args["text"] = text
	return one[Note](ctx, n.db, NoteUpdate, args)
}

func (n notes) Move(ctx context.Context, project, id, to string) (Note, error) {
	args := under("project", project, id)
	if args["to"] = parsed(to); parsed(to) == nil {
		args["to"] = uuid.NewString() // nobody has it, and the note is looked for first
	}
	return one[Note](ctx, n.db, NoteMove, args)
}

func (n notes) Delete(ctx context.Context, project, id string) error {
	return n.db.affected(ctx, NoteDelete, under("project", project, id))
}
