package api

import (
	"net/http"

	"github.com/partywall/partywall/reference/store"
)

func (a *api) trashRoutes() []route {
	return []route{
		tenants("GET /v1/trash", a.listTrash),
		tenants("POST /v1/trash/{id}/restore", a.restoreDocument),
		tenants("DELETE /v1/trash/{id}", a.purgeDocument),
	}
}

func (a *api) listTrash(w http.ResponseWriter, r *http.Request) error {
	return listPaged(a, w, r, a.Trash.List, func(x store.Trashed) store.Position { return store.Position{At: x.CreatedAt, ID: x.ID} })
}

func (a *api) restoreDocument(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	doc, err := a.Trash.Restore(r.Context(), id)
	if err != nil {
		return err
	}
	return a.changed(w, r, "document.restore", doc.ID, doc)
}

func (a *api) purgeDocument(w http.ResponseWriter, r *http.Request) error {
	return a.remove(w, r, "document.purge", a.Trash.Purge)
}
