package reference

import (
	"context"
	"errors"
	"io"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/export"
	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// work wires the workers to the parts, as they are now, and starts them. They end before what they work on is closed.
func (p *Parts) work(ctx context.Context) error {
	q, life := p.API.Jobs, p.API.Lifecycle
	q.Enter, q.UntilClosed, q.Log = life.Enter, life.UntilClosed, p.API.Log
	q.Gate = func(ctx context.Context, id tenant.Identity) (tenant.Identity, error) { return p.API.Gate(ctx, id) }
	q.Do[api.JobExport], q.Do[api.JobDelivery] = p.export, p.deliver
	p.Service.OnClose(q.Close)
	for kind, do := range q.Do {
		q.Do[kind] = func(ctx context.Context, j jobs.Job) error {
			err := do(ctx, j)
			p.Metrics.Job(kind, err)
			return err
		}
	}
	p.keep(ctx)
	p.Monitor.Start(ctx)
	p.Service.OnClose(p.Monitor.Close)
	p.Service.OnClose(life.Close)
	life.Start(ctx)
	return q.Start(ctx)
}

// source is what requests read from too.
func (p *Parts) source() export.Source {
	a := p.API
	return export.Source{
		Documents: a.Documents, Comments: a.Comments, Categories: a.Categories, Projects: a.Projects, Notes: a.Notes,
		Invoices: a.Invoices, Preferences: a.Preferences, Files: a.Files, Now: p.DB.Now,
	}
}

// pack writes all that the tenant in the context has into an export, while it is read, and returns its size.
func (p *Parts) pack(ctx context.Context, id string, from export.Source) (int64, error) {
	reader, writer := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_ = writer.CloseWithError(from.Write(ctx, writer)) // it never fails
	}()
	size, err := p.API.Files.WriteExport(ctx, id, reader)
	_ = reader.Close() // it never fails, and ends a writer that nobody reads from
	<-written
	return size, err
}

// archive keeps what an offboarded tenant had among its own files, under its own id: they are deleted with it.
type archive struct{ parts *Parts }

func (a archive) Write(ctx context.Context) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	from := a.parts.Source()
	from.Audit = a.parts.API.Audit
	_, err = a.parts.pack(ctx, string(id.Tenant), from)
	return err
}

func (a archive) Read(ctx context.Context) (io.ReadCloser, int64, error) {
	id, err := tenant.From(ctx)
	if err != nil {
		return nil, 0, err
	}
	return a.parts.API.Files.ReadExport(ctx, string(id.Tenant))
}

func (a archive) Remove(ctx context.Context) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	return a.parts.API.Files.RemoveExport(ctx, string(id.Tenant))
}

// export makes an export that was asked for. One that is finished is not made again, and one that fails is not given up before the job is.
func (p *Parts) export(ctx context.Context, j jobs.Job) error {
	a := p.API
	if _, err := a.Exports.Start(ctx, j.ID); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}
	size, err := p.pack(ctx, j.ID, p.Source())
	if ctx.Err() != nil {
		return ctx.Err() // it will be done again
	}
	if err != nil && !j.Last {
		return err
	}
	status := store.ExportDone
	if err != nil {
		status, size = store.ExportFailed, 0
	}
	if _, finished := a.Exports.Finish(ctx, j.ID, status, size); finished != nil {
		return finished
	}
	return err
}
