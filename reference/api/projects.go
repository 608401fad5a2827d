package api

import (
	"net/http"

	"github.com/partywall/partywall/reference/store"
)

func (a *api) projectRoutes() []route {
	return []route{
		tenants("POST /v1/projects", a.once(a.createProject)),
		tenants("GET /v1/projects", a.listProjects),
		tenants("GET /v1/projects/{id}", a.readProject),
		tenants("PUT /v1/projects/{id}", a.renameProject),
		tenants("DELETE /v1/projects/{id}", a.deleteProject),
	}
}

func (a *api) createProject(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Slug *string `json:"slug"`
		Name *string `json:"name"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := check(true, field{"slug", in.Slug, 200}, field{"name", in.Name, 200}); err != nil {
		return err
	}
	project, err := a.Projects.Create(r.Context(), *in.Slug, *in.Name)
	if err != nil {
		return err
	}
	return a.made(w, r, "project.create", project.ID, project)
}

func (a *api) listProjects(w http.ResponseWriter, r *http.Request) error {
	return listPaged(a, w, r, a.Projects.List, func(x store.Project) store.Position { return store.Position{At: x.CreatedAt, ID: x.ID} })
}

func (a *api) readProject(w http.ResponseWriter, r *http.Request) error {
	return show(w, r, a.Projects.Get)
}

func (a *api) renameProject(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	name, err := nameOf(w, r)
	if err != nil {
		return err
	}
	project, err := a.Projects.Rename(r.Context(), id, name)
	if err != nil {
		return err
	}
	return a.changed(w, r, "project.rename", project.ID, project)
}

func (a *api) deleteProject(w http.ResponseWriter, r *http.Request) error {
	return a.remove(w, r, "project.delete", a.Projects.Delete)
}
