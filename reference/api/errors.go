package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/cache"
	"github.com/partywall/partywall/reference/events"
	"github.com/partywall/partywall/reference/fairshare"
	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/keys"
	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/webhooks"
)

// Errors of the chain and of reading requests.
var (
	ErrUnauthenticated = errors.New("authentication required")
	ErrInactive        = errors.New("the tenant is not active")
	ErrInput           = errors.New("the request is not valid")
	ErrMediaType       = errors.New("the Content-Type must be application/json, in UTF-8")
	ErrTooLarge        = errors.New("the body is too large")
	ErrNoLength        = errors.New("a Content-Length is required")
	ErrUpgrade         = errors.New("this is followed over a WebSocket")
	ErrUnavailable     = errors.New("an engine behind the service cannot be reached")
	errNoRoute         = errors.New("no such route")
	errMethod          = errors.New("the route has no such method")
)

// problem is an RFC 9457 problem.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// table is the only place where errors become answers. What belongs to another tenant answers like what does not exist:
// the parts return the same error for both.
var table = []struct {
	err    error
	status int
	detail bool // whether the text of the error is for the client
}{
	{ErrUnauthenticated, http.StatusUnauthorized, false},
	{ErrInactive, http.StatusForbidden, true},
	{store.ErrForbidden, http.StatusForbidden, false},
	{store.ErrQuota, http.StatusForbidden, true},
	{store.ErrNotFound, http.StatusNotFound, false},
	{blobs.ErrNotFound, http.StatusNotFound, false},
	{blobs.ErrOwnKey, http.StatusConflict, true},
	{keys.ErrNoKey, http.StatusNotFound, false},
	{store.ErrConflict, http.StatusConflict, false},
	{store.ErrLastAdmin, http.StatusConflict, true},
	{store.ErrChanged, http.StatusPreconditionFailed, false},
	{store.ErrReference, http.StatusUnprocessableEntity, true},
	{store.ErrOnceBusy, http.StatusConflict, true},
	{store.ErrOnceOther, http.StatusUnprocessableEntity, true},
	{blobs.ErrName, http.StatusBadRequest, true},
	{cache.ErrName, http.StatusBadRequest, true},
	{ErrInput, http.StatusBadRequest, true},
	{ErrNotReady, http.StatusConflict, true},
	{store.ErrFull, http.StatusConflict, true},
	{lifecycle.ErrNoArchive, http.StatusNotFound, true},
	{store.ErrState, http.StatusConflict, true},
	{store.ErrMoving, http.StatusConflict, true},
	{jobs.ErrFull, http.StatusTooManyRequests, true},
	{webhooks.ErrURL, http.StatusBadRequest, true},
	{events.ErrPosition, http.StatusBadRequest, true},
	{events.ErrCrowded, http.StatusTooManyRequests, true},
	{events.ErrClosed, http.StatusServiceUnavailable, true},
	{ErrMediaType, http.StatusUnsupportedMediaType, true},
	{ErrTooLarge, http.StatusRequestEntityTooLarge, true},
	{ErrNoLength, http.StatusLengthRequired, true},
	{ErrUpgrade, http.StatusUpgradeRequired, true},
	{errNoRoute, http.StatusNotFound, false},
	{errMethod, http.StatusMethodNotAllowed, false},
	{ratelimit.ErrLimited, http.StatusTooManyRequests, false},
	{fairshare.ErrBusy, http.StatusTooManyRequests, true},
	{ratelimit.ErrUnavailable, http.StatusServiceUnavailable, false},
	{signing.ErrUnavailable, http.StatusServiceUnavailable, false},
	{cache.ErrUnavailable, http.StatusServiceUnavailable, false},
	{ErrUnavailable, http.StatusServiceUnavailable, false},
}

// answer runs a handler and turns its error into a problem. What is not in the table becomes a 500 that says nothing. The service's
// own failures are logged.
func (a *api) answer(handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil {
			return
		}
		visit(r.Context()).Err = err
		if isUnavailable(err) {
			err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		var refusal *ratelimit.Refusal
		if errors.As(err, &refusal) {
			w.Header().Set("Retry-After", seconds(refusal.RetryAfter))
		}
		for _, row := range table {
			if errors.Is(err, row.err) {
				p := problem{Title: http.StatusText(row.status), Status: row.status}
				if row.detail {
					p.Detail = err.Error()
				}
				switch row.status {
				case http.StatusUnauthorized:
					w.Header().Set("WWW-Authenticate", "Bearer")
				case http.StatusTooManyRequests:
					if refusal == nil { // it ends with what is under way, and nobody knows when that is
						w.Header().Set("Retry-After", "1")
					}
				case http.StatusServiceUnavailable:
					w.Header().Set("Retry-After", fmt.Sprint(retryAfter.Seconds()))
					a.logged(r, err)
				}
				write(w, p)
				return
			}
		}
		a.logged(r, err)
		write(w, problem{Title: "internal error", Status: http.StatusInternalServerError})
	})
}

// logged tells the log of a failure, unless the client has gone and caused it.
func (a *api) logged(r *http.Request, err error) {
	if !errors.Is(r.Context().Err(), context.Canceled) {
		a.Log.ErrorContext(whose(r.Context()), "a request failed", "method", r.Method, "route", r.Pattern, "error", err)
	}
}

func write(w http.ResponseWriter, p problem) {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // it is made of texts and a number
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	send(w, data)
}

func respond(w http.ResponseWriter, status int, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write an answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	send(w, data)
	return nil
}

// send sends a body. Where it cannot, the client is gone, and there is nobody to tell.
func send(w io.Writer, body []byte) { _, _ = w.Write(body) }

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
