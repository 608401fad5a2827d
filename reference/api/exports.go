package api

import (
	"errors"
	"net/http"

	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/store"
)

// ErrNotReady means that an export has nothing to download yet.
var ErrNotReady = errors.New("the export is not done")

func (a *api) exportRoutes() []route {
	return []route{
		tenants("POST /v1/exports", a.once(a.createExport)),
		tenants("GET /v1/exports", a.listExports),
		tenants("GET /v1/exports/{id}", a.readExport),
		tenants("GET /v1/exports/{id}/download", a.downloadExport).lasting(long),
	}
}

// JobExport is the kind of the jobs that make exports; their id is that of the export.
const JobExport = "export"

func (a *api) createExport(w http.ResponseWriter, r *http.Request) error {
	export, err := a.Exports.Create(r.Context())
	if err != nil {
		return err
	}
	if err := a.Jobs.Enqueue(r.Context(), jobs.Job{Kind: JobExport, ID: export.ID}); err != nil {
		ctx, cancel := afterwards(r.Context())
		defer cancel()
		_, failed := a.Exports.Finish(ctx, export.ID, store.ExportFailed, 0)
		return errors.Join(err, failed)
	}
	if err := a.record(r, "export.create", export.ID); err != nil {
		return err
	}
	return respond(w, http.StatusAccepted, export)
}

func (a *api) listExports(w http.ResponseWriter, r *http.Request) error {
	return listPaged(a, w, r, a.Exports.List, func(x store.Export) store.Position { return store.Position{At: x.CreatedAt, ID: x.ID} })
}

func (a *api) export(r *http.Request) (store.Export, error) {
	id, err := named(r, "id")
	if err != nil {
		return store.Export{}, err
	}
	return a.Exports.Get(r.Context(), id)
}

func (a *api) readExport(w http.ResponseWriter, r *http.Request) error {
	export, err := a.export(r)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, export)
}

func (a *api) downloadExport(w http.ResponseWriter, r *http.Request) error {
	export, err := a.export(r)
	if err != nil {
		return err
	}
	if export.Status != store.ExportDone {
		return ErrNotReady
	}
	body, size, err := a.Files.ReadExport(r.Context(), export.ID)
	if err != nil {
		return err
	}
	return a.download(w, r, body, size)
}
