package api

import (
	"context"
	"net/http"
	"time"
)

// afterwards is a context for noting what was done, or not: the client may be gone by now, or its time over.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

func (a *api) auditRoutes() []route {
	return []route{tenants("GET /v1/audit", a.listAudit)}
}

// record writes the audit entry of a change that was made. A client that hangs up in between does not escape its trail.
func (a *api) record(r *http.Request, action, object string) error {
	ctx, cancel := afterwards(r.Context())
	defer cancel()
	return a.Audit.Append(ctx, action, object)
}

// made records that something was created and answers with it.
func (a *api) made(w http.ResponseWriter, r *http.Request, action, id string, object any) error {
	if err := a.record(r, action, id); err != nil {
		return err
	}
	return respond(w, http.StatusCreated, object)
}

// changed records that something was changed and answers with it.
func (a *api) changed(w http.ResponseWriter, r *http.Request, action, id string, object any) error {
	if err := a.record(r, action, id); err != nil {
		return err
	}
	return respond(w, http.StatusOK, object)
}

// gone records that something was deleted.
func (a *api) gone(w http.ResponseWriter, r *http.Request, action, object string) error {
	if err := a.record(r, action, object); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
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
