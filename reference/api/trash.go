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
	page, err := a.pageOf(r)
	if err != nil {
		return err
	}
	docs, err := a.Trash.List(r.Context(), page)
	if err != nil {
		return err
	}
	next, err := a.next(r, page, len(docs), func() store.Position {
		last := docs[len(docs)-1]
		return store.Position{At: last.CreatedAt, ID: last.ID}
	})
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(docs, next))
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
