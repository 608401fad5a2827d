package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

func (a *api) fileRoutes() []route {
	return []route{
		tenants("GET /v1/files", a.listFiles),
		tenants("PUT /v1/files/{path...}", a.putFile).lasting(long),
		tenants("GET /v1/files/{path...}", a.readFile).lasting(long),
		tenants("DELETE /v1/files/{path...}", a.deleteFile),
		tenants("GET /v1/file-versions/{path...}", a.listVersions),
	}
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
	return a.upload(w, r, r.PathValue("path"), "file.put")
}

// upload writes a file.
func (a *api) upload(w http.ResponseWriter, r *http.Request, name, action string) error {
	if r.ContentLength < 0 {
		return ErrNoLength
	}
	if r.ContentLength > maxFile {
		return fmt.Errorf("%w: a file may have %d bytes", ErrTooLarge, maxFile)
	}
	reservation, err := a.Quotas.Reserve(r.Context(), r.ContentLength)
	if err != nil {
		return err
	}
	body := &uploaded{Reader: io.LimitReader(r.Body, r.ContentLength)}
	err = a.Files.Put(r.Context(), name, body, r.ContentLength)
	ctx, cancel := afterwards(r.Context())
	defer cancel()
	if err != nil {
		if body.err != nil {
			err = fmt.Errorf("%w: the body broke off", ErrInput)
		}
		return errors.Join(err, a.Quotas.Release(ctx, reservation))
	}
	if err := a.Quotas.Keep(ctx, reservation, name); err != nil {
		a.logged(r, err) // the file is there, and its bytes are counted
	}
	return a.gone(w, r, action, name)
}

// uploaded remembers that its client broke off, which else would look like a failure of the store.
type uploaded struct {
	io.Reader
	err error
}

func (u *uploaded) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		u.err = err
	}
	return n, err
}

func (a *api) readFile(w http.ResponseWriter, r *http.Request) error {
	version, err := parameter(r, "version", 100)
	if err != nil {
		return err
	}
	var body io.ReadCloser
	var size int64
	if r.URL.Query().Has("version") {
		body, size, err = a.Files.GetVersion(r.Context(), r.PathValue("path"), version)
	} else {
		body, size, err = a.Files.Get(r.Context(), r.PathValue("path"))
	}
	if err != nil {
		return err
	}
	return a.download(w, r, body, size)
}

// download sends a file and closes it. Where that breaks off, the client sees that the body is too short.
func (a *api) download(w http.ResponseWriter, r *http.Request, body io.ReadCloser, size int64) error {
	defer func() { _ = body.Close() }()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if _, err := io.Copy(w, body); err != nil {
		a.logged(r, err)
	}
	return nil
}

func (a *api) deleteFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("path")
	if err := a.Files.Delete(r.Context(), name); err != nil {
		return err
	}
	ctx, cancel := afterwards(r.Context())
	defer cancel()
	if err := a.Quotas.Forget(ctx, name); err != nil {
		a.logged(r, err) // the file is gone; its bytes are given back with the next of that name
	}
	return a.gone(w, r, "file.delete", name)
}

func (a *api) listVersions(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	versions, err := a.Files.Versions(r.Context(), r.PathValue("path"), limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, map[string]any{"items": versions})
}
