package reference

import (
	"context"
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
	return q.Start(ctx)
}

// export makes an export that was asked for. One that is finished is not made again.
func (p *Parts) export(ctx context.Context, j jobs.Job) error {
	a := p.API
	if _, err := a.Exports.Start(ctx, j.ID); err != nil {
		return err
	}
	source := export.Source{
		Documents: a.Documents, Comments: a.Comments, Categories: a.Categories, Projects: a.Projects, Notes: a.Notes,
		Invoices: a.Invoices, Preferences: a.Preferences,
	}
	reader, writer := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_ = writer.CloseWithError(source.Write(ctx, writer)) // it never fails
	}()
	size, err := a.Files.WriteExport(ctx, j.ID, reader)
	_ = reader.Close() // it never fails, and ends a writer that nobody reads from
	<-written
	if ctx.Err() != nil {
		return ctx.Err() // it will be done again
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
