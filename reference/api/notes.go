package api

import (
	"context"
	"net/http"

	"github.com/partywall/partywall/reference/store"
)

func (a *api) noteRoutes() []route {
	return []route{
		tenants("POST /v1/projects/{project}/notes", a.once(a.createNote)),
		tenants("GET /v1/projects/{project}/notes", a.listNotes),
		tenants("GET /v1/projects/{project}/notes/{id}", a.readNote),
		tenants("PUT /v1/projects/{project}/notes/{id}", a.updateNote),
		tenants("POST /v1/projects/{project}/notes/{id}/move", a.moveNote),
		tenants("DELETE /v1/projects/{project}/notes/{id}", a.deleteNote),
	}
}

func (a *api) createNote(w http.ResponseWriter, r *http.Request) error {
	project, err := named(r, "project")
	if err != nil {
		return err
	}
	text, err := textOf(w, r)
	if err != nil {
		return err
	}
	note, err := a.Notes.Create(r.Context(), project, text)
	if err != nil {
		return err
	}
	return a.made(w, r, "note.create", note.ID, note)
}

func (a *api) listNotes(w http.ResponseWriter, r *http.Request) error {
	project, err := named(r, "project")
	if err != nil {
		return err
	}
	of := func(ctx context.Context, page store.Page) ([]store.Note, error) {
		return a.Notes.List(ctx, project, page)
	}
	return listPaged(a, w, r, of, func(x store.Note) store.Position { return store.Position{At: x.CreatedAt, ID: x.ID} })
}

func (a *api) readNote(w http.ResponseWriter, r *http.Request) error {
	return showUnder(w, r, "project", a.Notes.Get)
}

func (a *api) updateNote(w http.ResponseWriter, r *http.Request) error {
	project, id, err := pair(r, "project")
	if err != nil {
		return err
	}
	text, err := textOf(w, r)
	if err != nil {
		return err
	}
	note, err := a.Notes.Update(r.Context(), project, id, text)
	if err != nil {
		return err
	}
	return a.changed(w, r, "note.update", note.ID, note)
}

func (a *api) moveNote(w http.ResponseWriter, r *http.Request) error {
	project, id, err := pair(r, "project")
	if err != nil {
		return err
	}
	var in struct {
		Project *string `json:"project_id"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := check(true, field{"project_id", in.Project, 100}); err != nil {
		return err
	}
	note, err := a.Notes.Move(r.Context(), project, id, *in.Project)
	if err != nil {
		return err
	}
	return a.changed(w, r, "note.move", note.ID, note)
}

func (a *api) deleteNote(w http.ResponseWriter, r *http.Request) error {
	return a.removeUnder(w, r, "project", "note.delete", a.Notes.Delete)
}
