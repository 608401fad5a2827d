package api

import "net/http"

func (a *api) categoryRoutes() []route {
	return []route{
		tenants("POST /v1/categories", a.once(a.createCategory)),
		tenants("GET /v1/categories", a.listCategories),
		tenants("GET /v1/categories/{id}", a.readCategory),
		tenants("PUT /v1/categories/{id}", a.renameCategory),
		tenants("DELETE /v1/categories/{id}", a.deleteCategory),
	}
}

// nameOf reads a body that is one name.
func nameOf(w http.ResponseWriter, r *http.Request) (string, error) {
	var in struct {
		Name *string `json:"name"`
	}
	if err := decode(w, r, &in); err != nil {
		return "", err
	}
	if err := check(true, field{"name", in.Name, 200}); err != nil {
		return "", err
	}
	return *in.Name, nil
}

func (a *api) createCategory(w http.ResponseWriter, r *http.Request) error {
	name, err := nameOf(w, r)
	if err != nil {
		return err
	}
	category, err := a.Categories.Create(r.Context(), name)
	if err != nil {
		return err
	}
	return a.made(w, r, "category.create", category.ID, category)
}

func (a *api) listCategories(w http.ResponseWriter, r *http.Request) error {
	categories, err := a.Categories.List(r.Context())
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(categories, nil))
}

func (a *api) readCategory(w http.ResponseWriter, r *http.Request) error {
	return show(w, r, a.Categories.Get)
}

func (a *api) renameCategory(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	name, err := nameOf(w, r)
	if err != nil {
		return err
	}
	category, err := a.Categories.Rename(r.Context(), id, name)
	if err != nil {
		return err
	}
	return a.changed(w, r, "category.rename", category.ID, category)
}

func (a *api) deleteCategory(w http.ResponseWriter, r *http.Request) error {
	return a.remove(w, r, "category.delete", a.Categories.Delete)
}
