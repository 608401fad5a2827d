package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/partywall/partywall/reference/store"
)

// afterwards is a context for noting what was done, or not: the client may be gone by now, or its time over.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

func (a *api) auditRoutes() []route {
	return []route{
		admins("GET /v1/audit", a.listAudit).supported(),
		admins("GET /v1/audit/verified", a.verifyAudit).supported().lasting(long),
	}
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

// refused records that somebody was kept from something. Where that cannot be recorded, it is refused all the same.
func (a *api) refused(r *http.Request, action string) {
	ctx, cancel := afterwards(r.Context())
	defer cancel()
	if err := a.Audit.Refuse(ctx, action, r.Pattern); err != nil {
		a.Log.WarnContext(ctx, "a refusal was not recorded", "action", action, "error", err)
	}
}

// listAudit lists the trail, narrowed to a span of time, from the newest entry on.
func (a *api) listAudit(w http.ResponseWriter, r *http.Request) error {
	span, bounds := store.Span{}, make([]string, 2)
	for i, name := range []string{"from", "to"} {
		text, err := parameter(r, name, 40)
		if err != nil {
			return err
		}
		if bounds[i] = text; text == "" {
			continue
		}
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil || moment.Year() < 1970 {
			return fmt.Errorf("%w: %s is a time like 2026-01-31T12:00:00Z (RFC 3339)", ErrInput, name)
		}
		*[]*time.Time{&span.From, &span.To}[i] = moment
	}
	page, err := a.pageOf(r, bounds...)
	if err != nil {
		return err
	}
	if span.Limit = page.Limit; page.After != nil {
		if span.Before, err = strconv.ParseInt(page.After.ID, 10, 64); err != nil {
			return fmt.Errorf("%w: the cursor is not one of this list", ErrInput)
		}
	}
	entries, err := a.Audit.List(r.Context(), span)
	if err != nil {
		return err
	}
	next, err := a.next(r, page, len(entries), func() store.Position {
		last := entries[len(entries)-1]
		return store.Position{At: last.At, ID: strconv.FormatInt(last.Seq, 10)}
	}, bounds...)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(entries, next))
}

// verifyAudit goes through the trail, and says where it is not as it was.
func (a *api) verifyAudit(w http.ResponseWriter, r *http.Request) error {
	v, err := a.Audit.Verify(r.Context())
	if err != nil {
		return err
	}
	if !v.Intact {
		a.Log.ErrorContext(r.Context(), "a trail is broken", "entry", v.Broken, "reason", v.Reason)
	}
	return respond(w, http.StatusOK, v)
}
