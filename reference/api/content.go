package api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/partywall/partywall/reference/store"
)

// plausible texts are what Postgres can store: UTF-8 without NUL, up to a number of bytes.
func plausible(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// record writes the audit entry of a change that was made.
func (a *api) record(r *http.Request, action, object string) error {
	return a.Audit.Append(r.Context(), action, object)
}

func limitOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 50, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 200 {
		return 0, fmt.Errorf("%w: limit is a number from 1 to 200", ErrInput)
	}
	return n, nil
}

type documentInput struct {
	Slug  *string `json:"slug"`
	Title *string `json:"title"`
	Body  *string `json:"body"`
}

// check refuses what is too long, and, where all fields are required, what is missing.
func (in documentInput) check(all bool) error {
	for _, f := range []struct {
		name  string
		value *string
		limit int
	}{{"slug", in.Slug, 200}, {"title", in.Title, 500}, {"body", in.Body, 100_000}} {
		if f.value == nil && all || f.value != nil && !plausible(*f.value, f.limit) {
			return fmt.Errorf("%w: %s is a text of 1 to %d bytes", ErrInput, f.name, f.limit)
		}
	}
	return nil
}

func (a *api) createDocument(w http.ResponseWriter, r *http.Request) error {
	var in documentInput
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := in.check(true); err != nil {
		return err
	}
	doc, err := a.Documents.Create(r.Context(), *in.Slug, *in.Title, *in.Body)
	if err != nil {
		return err
	}
	if err := a.record(r, "document.create", doc.ID); err != nil {
		return err
	}
	return respond(w, http.StatusCreated, doc)
}

func (a *api) listDocuments(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	q := r.URL.Query().Get("q")
	if q != "" && !plausible(q, 200) {
		return fmt.Errorf("%w: q is a text of at most 200 bytes", ErrInput)
	}
	docs, total, err := a.Documents.List(r.Context(), q, limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"items": docs, "total": total})
}

func (a *api) readDocument(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	doc, err := a.Documents.Get(r.Context(), id)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, doc)
}

// named takes a name from the path. One that cannot be stored cannot exist.
func named(r *http.Request, part string) (string, error) {
	name := r.PathValue(part)
	if !plausible(name, 1024) {
		return "", store.ErrNotFound
	}
	return name, nil
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
	doc, err := a.Documents.Update(r.Context(), id, store.Change(in))
	if err != nil {
		return err
	}
	if err := a.record(r, "document.update", doc.ID); err != nil {
		return err
	}
	return respond(w, http.StatusOK, doc)
}

func (a *api) deleteDocument(w http.ResponseWriter, r *http.Request) error {
	id, err := named(r, "id")
	if err != nil {
		return err
	}
	if err := a.Documents.Delete(r.Context(), id); err != nil {
		return err
	}
	return a.gone(w, r, "document.delete", id)
}

func (a *api) gone(w http.ResponseWriter, r *http.Request, action, object string) error {
	if err := a.record(r, action, object); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
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
	if err := a.record(r, "preference.put", name); err != nil {
		return err
	}
	return respond(w, http.StatusOK, p)
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

const maxFile = 32 << 20

func (a *api) listFiles(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	files, err := a.Files.List(r.Context(), limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"items": files})
}

func (a *api) putFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("path")
	if r.ContentLength < 0 || r.ContentLength > maxFile {
		return fmt.Errorf("%w: a file needs a Content-Length of at most %d bytes", ErrInput, maxFile)
	}
	if err := a.Files.Put(r.Context(), name, io.LimitReader(r.Body, r.ContentLength), r.ContentLength); err != nil {
		return err
	}
	return a.gone(w, r, "file.put", name)
}

func (a *api) readFile(w http.ResponseWriter, r *http.Request) error {
	body, size, err := a.Files.Get(r.Context(), r.PathValue("path"))
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.Copy(w, body) // the client is gone, or will see a short body
	return nil
}

func (a *api) deleteFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("path")
	if err := a.Files.Delete(r.Context(), name); err != nil {
		return err
	}
	return a.gone(w, r, "file.delete", name)
}

func (a *api) listAudit(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	entries, err := a.Audit.List(r.Context(), limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"items": entries})
}
