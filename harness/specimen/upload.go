package specimen

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/partywall/partywall/harness"
)

// Upload takes raw bytes at paths that the client chooses, and deletes in batches only. The correct version keeps a
// folder for each tenant; the broken one keeps one for all, and checks the first name of a batch.
func Upload(broken bool) Specimen {
	s := newState(broken)
	mux := http.NewServeMux()
	mux.HandleFunc("/blobs/{path...}", s.signed(s.blob))
	mux.HandleFunc("POST /delete", s.signed(s.deleteBlobs))
	raw := harness.Body{Kind: "raw", Raw: "{content}", Type: "text/plain"}
	return Specimen{
		Name: "upload", Handler: mux, Provision: bearers(s),
		Surface: harness.Surface{Resources: []harness.Resource{{
			Name: "blobs", Chosen: "inbox/{unique}.txt", Fields: []harness.Field{{Name: "content"}},
			Operations: []harness.Operation{
				{Verb: harness.Create, Method: "PUT", Path: "/blobs/{id...}", Body: raw, Success: harness.Success{Status: []int{201, 204}}},
				{Verb: harness.Read, Method: "GET", Path: "/blobs/{id...}"},
				{Verb: harness.Update, Method: "PUT", Path: "/blobs/{id...}", Body: raw, Success: harness.Success{Status: []int{201, 204}}},
				{Verb: harness.Batch, Method: "POST", Path: "/delete", Body: harness.Body{Kind: "json", Value: map[string]any{"names": []any{"{id}"}}}},
			},
		}}},
	}
}

// place is where a blob lies.
func (s *state) place(tenant, name string) string {
	if s.broken {
		return name
	}
	return tenant + "/" + name
}

func (s *state) blob(w http.ResponseWriter, r *http.Request, tenant string) {
	place := s.place(tenant, r.PathValue("path"))
	switch o := s.objects[place]; {
	case r.Method == http.MethodPut:
		content, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		owner := tenant
		if o != nil {
			owner = o.tenant
		}
		s.objects[place] = &object{owner, map[string]string{"content": string(content)}}
		w.WriteHeader(http.StatusCreated)
	case o == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = io.WriteString(w, o.fields["content"])
	}
}

func (s *state) deleteBlobs(w http.ResponseWriter, r *http.Request, tenant string) {
	var in struct{ Names []string }
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for i, name := range in.Names {
		place := s.place(tenant, name)
		if o := s.objects[place]; o == nil || o.tenant != tenant && (i == 0 || !s.broken) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		delete(s.objects, place)
	}
	w.WriteHeader(http.StatusNoContent)
}
