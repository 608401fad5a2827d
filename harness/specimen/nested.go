package specimen

import (
	"encoding/json"
	"net/http"

	"github.com/partywall/partywall/harness"
)

// Nested keeps tasks under projects. The broken version authorises the project of the path and then looks the task up
// by its id alone; and it shows the category that a task refers to, whoever owns it.
func Nested(broken bool) Specimen {
	s := newState(broken)
	body := func(members map[string]any) harness.Body { return harness.Body{Kind: "json", Value: members} }
	task := body(map[string]any{"text": "{text}", "details": map[string]any{"category_id": "{category}"}})
	one := "/projects/{projects}/tasks/{id}"
	named := func(name string) harness.Resource {
		return harness.Resource{
			Name: name, ID: harness.Locator{Header: "Location", Pattern: `/([^/]+)$`}, Fields: []harness.Field{{Name: "name"}},
			Operations: []harness.Operation{
				{Verb: harness.Create, Method: "POST", Path: "/" + name, Body: body(map[string]any{"name": "{name}"}), Success: harness.Success{Status: []int{201}}},
				{Verb: harness.Read, Method: "GET", Path: "/" + name + "/{id}"},
				{Verb: harness.Delete, Method: "DELETE", Path: "/" + name + "/{id}"},
			},
		}
	}
	mux := http.NewServeMux()
	for _, name := range []string{"projects", "categories"} {
		mux.HandleFunc("POST /"+name, s.signed(s.createNamed))
		mux.HandleFunc("GET /"+name+"/{id}", s.signed(s.readNamed))
		mux.HandleFunc("DELETE /"+name+"/{id}", s.signed(s.deleteNamed))
	}
	mux.HandleFunc("POST /projects/{project}/tasks", s.signed(s.createTask))
	mux.HandleFunc("/projects/{project}/tasks/{id}", s.signed(s.task))
	return Specimen{
		Name: "nested", Handler: mux, Provision: bearers(s),
		Surface: harness.Surface{Resources: []harness.Resource{named("projects"), named("categories"), {
			Name: "tasks", Parents: []string{"projects"}, ID: harness.Locator{Pointer: "/task/id"},
			Fields: []harness.Field{{Name: "text"}, {Name: "category", Refers: "categories"}},
			Operations: []harness.Operation{
				{Verb: harness.Create, Method: "POST", Path: "/projects/{projects}/tasks", Body: task},
				{Verb: harness.Read, Method: "GET", Path: one},
				{Verb: harness.Update, Method: "PUT", Path: one, Body: task},
				{Verb: harness.Delete, Method: "DELETE", Path: one},
			},
		}}},
	}
}

func (s *state) signed(next func(w http.ResponseWriter, r *http.Request, tenant string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if tenant := s.who(r); tenant != "" {
			next(w, r, tenant)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// owned is the check that stays correct in both versions.
func (s *state) owned(tenant, id string) *object {
	if o := s.objects[id]; o != nil && o.tenant == tenant {
		return o
	}
	return nil
}

func (s *state) createNamed(w http.ResponseWriter, r *http.Request, tenant string) {
	var in struct{ Name string }
	_ = json.NewDecoder(r.Body).Decode(&in) // what is no JSON has no name
	w.Header().Set("Location", r.URL.Path+"/"+s.add(tenant, map[string]string{"name": in.Name}))
	w.WriteHeader(http.StatusCreated)
}

func (s *state) readNamed(w http.ResponseWriter, r *http.Request, tenant string) {
	if o := s.owned(tenant, r.PathValue("id")); o != nil {
		_ = json.NewEncoder(w).Encode(o.fields)
		return
	}
	w.WriteHeader(http.StatusNotFound)
}

func (s *state) deleteNamed(w http.ResponseWriter, r *http.Request, tenant string) {
	if s.owned(tenant, r.PathValue("id")) == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	delete(s.objects, r.PathValue("id"))
}

type taskInput struct {
	Text    string
	Details struct {
		Category string `json:"category_id"`
	}
}

func (s *state) createTask(w http.ResponseWriter, r *http.Request, tenant string) {
	var in taskInput
	if s.owned(tenant, r.PathValue("project")) == nil || json.NewDecoder(r.Body).Decode(&in) != nil || s.find(tenant, in.Details.Category) == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	id := s.add(tenant, map[string]string{"text": in.Text, "project": r.PathValue("project"), "category": in.Details.Category})
	_ = json.NewEncoder(w).Encode(map[string]any{"task": map[string]string{"id": id}})
}

func (s *state) task(w http.ResponseWriter, r *http.Request, tenant string) {
	id := r.PathValue("id")
	o := s.find(tenant, id)
	if s.owned(tenant, r.PathValue("project")) == nil || o == nil || !s.broken && o.fields["project"] != r.PathValue("project") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	switch r.Method {
	case http.MethodGet:
		category := map[string]string{}
		if c := s.find(tenant, o.fields["category"]); c != nil {
			category = c.fields
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "text": o.fields["text"], "category": category})
	case http.MethodPut:
		var in taskInput
		if json.NewDecoder(r.Body).Decode(&in) != nil || s.find(tenant, in.Details.Category) == nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		o.fields["text"], o.fields["category"] = in.Text, in.Details.Category
	case http.MethodDelete:
		delete(s.objects, id)
	}
}
