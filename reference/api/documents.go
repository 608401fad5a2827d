package api

import (
	"net/http"

	"github.com/partywall/partywall/reference/store"
)

func (a *api) documentRoutes() []route {
	return []route{
		tenants("POST /v1/documents", a.once(a.createDocument)),
		tenants("GET /v1/documents", a.fairly(a.listDocuments)),
		tenants("GET /v1/documents/{id}", a.readDocument),
		tenants("PUT /v1/documents/{id}", a.replaceDocument),
		tenants("PATCH /v1/documents/{id}", a.patchDocument),
		tenants("DELETE /v1/documents/{id}", a.deleteDocument),
		tenants("POST /v1/documents/{id}/clone", a.once(a.cloneDocument)),
		tenants("POST /v1/documents/bulk-get", a.getDocuments),
		tenants("POST /v1/documents/bulk-delete", a.deleteDocuments),
		tenants("GET /v2/documents", a.fairly(a.listDocuments2)),
		tenants("GET /v2/documents/{id}", a.readDocument2),
	}
}

type documentInput struct {
	Slug     *string `json:"slug"`
	Title    *string `json:"title"`
	Body     *string `json:"body"`
	Category *string `json:"category_id"`
}

func (in documentInput) check(all bool) error {
	err := check(all, field{"slug", in.Slug, 200}, field{"title", in.Title, 500}, field{"body", in.Body, 100_000})
	if err == nil && in.Category != nil && *in.Category != "" {
		err = check(true, field{"category_id", in.Category, 100})
	}
	return err
}

func (a *api) createDocument(w http.ResponseWriter, r *http.Request) error {
	var in documentInput
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := in.check(true); err != nil {
		return err
	}
	doc, err := a.Documents.Create(r.Context(), store.Draft{Slug: *in.Slug, Title: *in.Title, Body: *in.Body, Category: in.Category})
	if err != nil {
		return err
	}
	return a.made(w, r, "document.create", doc.ID, doc)
}

// filterOf reads what narrows a list of documents.
func (a *api) filterOf(r *http.Request) (f store.Filter, err error) {
	if f.Text, err = parameter(r, "q", 200); err != nil {
		return f, err
	}
	if f.Category, err = parameter(r, "category_id", 100); err != nil {
		return f, err
	}
	f.Page, err = a.pageOf(r, f.Text, f.Category)
	return f, err
}

// pageOfDocuments is one page, the cursor of the next, and how many there are in all.
func (a *api) pageOfDocuments(r *http.Request) (docs []store.Document, next *string, total int, err error) {
	f, err := a.filterOf(r)
	if err != nil {
		return nil, nil, 0, err
	}
	if docs, total, err = a.Documents.List(r.Context(), f); err != nil {
		return nil, nil, 0, err
	}
	next, err = a.next(r, f.Page, len(docs), func() store.Position {
		last := docs[len(docs)-1]
		return store.Position{At: last.CreatedAt, ID: last.ID}
	}, f.Text, f.Category)
	return docs, next, total, err
}

func (a *api) listDocuments(w http.ResponseWriter, r *http.Request) error {
	docs, next, total, err := a.pageOfDocuments(r)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"items": docs, "total": total, "next": next})
}

func (a *api) readDocument(w http.ResponseWriter, r *http.Request) error {
	doc, unchanged, err := a.document(w, r)
	if err != nil || unchanged {
		return err
	}
	return respond(w, http.StatusOK, doc)
}

// document reads the document in the path and sets its tag. Where the client has this version already, it is told so. Only the
// owner gets as far as that: who may not read an object learns nothing from its tag.
func (a *api) document(w http.ResponseWriter, r *http.Request) (doc store.Document, unchanged bool, err error) {
	id, err := named(r, "id")
	if err != nil {
		return doc, false, err
	}
	if doc, err = a.Documents.Get(r.Context(), id); err != nil {
		return doc, false, err
	}
	tag := a.tag(r, doc.ID, doc.Version)
	w.Header().Set("ETag", tag)
	if unchanged = fresh(r, tag); unchanged {
		w.WriteHeader(http.StatusNotModified)
	}
	return doc, unchanged, nil
}

func (a *api) replaceDocument(w http.ResponseWriter, r *http.Request) error {
	return a.changeDocument(w, r, true)
}

func (a *api) patchDocument(w http.ResponseWriter, r *http.Request) error {
	return a.changeDocument(w, r, false)
}

func (a *api) changeDocument(w http.ResponseWriter, r *http.Request, all bool) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	var in documentInput
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := in.check(all); err != nil {
		return err
	}
	version, err := a.ifMatch(r, id)
	if err != nil {
		return err
	}
	change := store.Change{Slug: in.Slug, Title: in.Title, Body: in.Body, Category: in.Category, Version: version}
	doc, err := a.Documents.Update(r.Context(), id, change)
	if err != nil {
		return err
	}
	if err := a.record(r, "document.update", doc.ID); err != nil {
		return err
	}
	w.Header().Set("ETag", a.tag(r, doc.ID, doc.Version))
	return respond(w, http.StatusOK, doc)
}

// ifMatch is the version that a change asks for, nil when it asks for none.
func (a *api) ifMatch(r *http.Request, id string) (*int, error) {
	if len(r.Header.Values("If-Match")) == 0 {
		return nil, nil
	}
	doc, err := a.Documents.Get(r.Context(), id)
	if err != nil {
		return nil, err
	}
	return a.wanted(r, doc)
}

func (a *api) deleteDocument(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	version, err := a.ifMatch(r, id)
	if err != nil {
		return err
	}
	if err := a.Documents.Delete(r.Context(), id, version); err != nil {
		return err
	}
	return a.gone(w, r, "document.delete", id)
}

func (a *api) cloneDocument(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	var in struct {
		Slug *string `json:"slug"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := check(true, field{"slug", in.Slug, 200}); err != nil {
		return err
	}
	doc, err := a.Documents.Clone(r.Context(), id, *in.Slug)
	if err != nil {
		return err
	}
	return a.made(w, r, "document.clone", doc.ID, doc)
}
