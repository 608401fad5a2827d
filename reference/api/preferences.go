package api

import (
	"fmt"
	"net/http"

	"github.com/partywall/partywall/reference/store"
)

func (a *api) preferenceRoutes() []route {
	return []route{
		tenants("GET /v1/preferences", a.listPreferences),
		tenants("PUT /v1/preferences/{name...}", a.putPreference),
		tenants("GET /v1/preferences/{name...}", a.readPreference),
		tenants("DELETE /v1/preferences/{name...}", a.deletePreference),
	}
}

func (a *api) listPreferences(w http.ResponseWriter, r *http.Request) error {
	items, err := a.Preferences.List(r.Context())
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"items": items})
}

func (a *api) putPreference(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	var in struct {
		Value string `json:"value"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if !plausible(name, 512) || !plausible(in.Value, 10_000) {
		return fmt.Errorf("%w: a preference has a name of 1 to 512 bytes and a value of 1 to 10000", ErrInput)
	}
	p := store.Preference{Name: name, Value: in.Value}
	if err := a.Preferences.Put(r.Context(), p); err != nil {
		return err
	}
	return a.changed(w, r, "preference.put", name, p)
}

func (a *api) readPreference(w http.ResponseWriter, r *http.Request) error {
	name, err := named(r, "name")
	if err != nil {
		return err
	}
	p, err := a.Preferences.Get(r.Context(), name)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, p)
}

func (a *api) deletePreference(w http.ResponseWriter, r *http.Request) error {
	name, err := named(r, "name")
	if err != nil {
		return err
	}
	if err := a.Preferences.Delete(r.Context(), name); err != nil {
		return err
	}
	return a.gone(w, r, "preference.delete", name)
}
