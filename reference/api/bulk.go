package api

import (
	"fmt"
	"net/http"
)

// maxBulk is how many objects one request may name.
const maxBulk = 100

func bulkIDs(w http.ResponseWriter, r *http.Request) ([]string, error) {
	var in struct {
		IDs []string `json:"ids"`
	}
	if err := decode(w, r, &in); err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 || len(in.IDs) > maxBulk {
		return nil, fmt.Errorf("%w: ids is a list of 1 to %d ids", ErrInput, maxBulk)
	}
	return in.IDs, nil
}

// getDocuments and deleteDocuments do it for every id or for none: one id of somebody else's is like one that does not exist.
func (a *api) getDocuments(w http.ResponseWriter, r *http.Request) error {
	ids, err := bulkIDs(w, r)
	if err != nil {
		return err
	}
	docs, err := a.Documents.GetAll(r.Context(), ids)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(docs, nil))
}

func (a *api) deleteDocuments(w http.ResponseWriter, r *http.Request) error {
	ids, err := bulkIDs(w, r)
	if err != nil {
		return err
	}
	if err := a.Documents.DeleteAll(r.Context(), ids); err != nil {
		return err
	}
	for _, id := range ids {
		if err := a.record(r, "document.delete", id); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
