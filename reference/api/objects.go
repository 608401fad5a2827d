package api

import (
	"context"
	"net/http"

	"github.com/partywall/partywall/reference/store"
)

// What the handlers of many kinds of object have in common: the ids are taken from the path, and a method of a repository is called.

// show answers with the object that the path names.
func show[T any](w http.ResponseWriter, r *http.Request, get func(ctx context.Context, id string) (T, error)) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	object, err := get(r.Context(), id)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, object)
}

// listPaged answers with a page of what a method of a repository lists, and the cursor of the next; at says where in the list an object
// stands.
func listPaged[T any](a *api, w http.ResponseWriter, r *http.Request, of func(ctx context.Context, p store.Page) ([]T, error), at func(T) store.Position) error {
	page, err := a.pageOf(r)
	if err != nil {
		return err
	}
	objects, err := of(r.Context(), page)
	if err != nil {
		return err
	}
	next, err := a.next(r, page, len(objects), func() store.Position { return at(objects[len(objects)-1]) })
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(objects, next))
}

// remove deletes the object that the path names, and records it.
func (a *api) remove(w http.ResponseWriter, r *http.Request, action string, remove func(ctx context.Context, id string) error) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	if err := remove(r.Context(), id); err != nil {
		return err
	}
	return a.gone(w, r, action, id)
}

// pair takes the ids of an object and of the one above it from the path.
func pair(r *http.Request, above string) (parent, id string, err error) {
	if parent, err = named(r, above); err == nil {
		id, err = named(r, "id")
	}
	return parent, id, err
}

// showUnder answers with the object that the path names below another.
func showUnder[T any](w http.ResponseWriter, r *http.Request, above string, get func(ctx context.Context, parent, id string) (T, error)) error {
	parent, id, err := pair(r, above)
	if err != nil {
		return err
	}
	object, err := get(r.Context(), parent, id)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, object)
}

// listUnder answers with what stands below the object that the path names.
func listUnder[T any](w http.ResponseWriter, r *http.Request, above string, of func(ctx context.Context, parent string, limit int) ([]T, error)) error {
	parent, err := named(r, above)
	if err != nil {
		return err
	}
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	objects, err := of(r.Context(), parent, limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(objects, nil))
}

// removeUnder deletes the object that the path names below another, and records it.
func (a *api) removeUnder(w http.ResponseWriter, r *http.Request, above, action string, remove func(ctx context.Context, parent, id string) error) error {
	parent, id, err := pair(r, above)
	if err != nil {
		return err
	}
	if err := remove(r.Context(), parent, id); err != nil {
		return err
	}
	return a.gone(w, r, action, id)
}
