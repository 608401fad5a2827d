package api

import "net/http"

// The second version of the API wraps what it answers with in "data". It stands on the same repositories and passes the same
// chain as the first: there is no door that was forgotten.

func (a *api) listDocuments2(w http.ResponseWriter, r *http.Request) error {
	docs, next, _, err := a.pageOfDocuments(r)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"data": docs, "page": map[string]any{"next": next}})
}

func (a *api) readDocument2(w http.ResponseWriter, r *http.Request) error {
	doc, unchanged, err := a.document(w, r)
	if err != nil || unchanged {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"data": doc})
}
