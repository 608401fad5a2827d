package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"

	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/cache"
	"github.com/partywall/partywall/reference/ratelimit"
	"github.com/partywall/partywall/reference/store"
)

// Errors of the chain and of reading requests.
var (
	ErrUnauthenticated = errors.New("authentication required")
	ErrInput           = errors.New("the request is not valid")
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
	{store.ErrForbidden, http.StatusForbidden, false},
	{store.ErrNotFound, http.StatusNotFound, false},
	{blobs.ErrNotFound, http.StatusNotFound, false},
	{store.ErrConflict, http.StatusConflict, false},
	{blobs.ErrName, http.StatusBadRequest, true},
	{cache.ErrName, http.StatusBadRequest, true},
	{ErrInput, http.StatusBadRequest, true},
	{ratelimit.ErrLimited, http.StatusTooManyRequests, false},
}

// answer runs a handler and turns its error into a problem. What is not in the table is logged and becomes a 500 that
// says nothing.
func (a *api) answer(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil {
			return
		}
		var refusal *ratelimit.Refusal
		if errors.As(err, &refusal) {
			w.Header().Set("Retry-After", fmt.Sprint(math.Ceil(refusal.RetryAfter.Seconds())))
		}
		for _, row := range table {
			if errors.Is(err, row.err) {
				p := problem{Title: http.StatusText(row.status), Status: row.status}
				if row.detail {
					p.Detail = err.Error()
				}
				if row.status == http.StatusUnauthorized {
					w.Header().Set("WWW-Authenticate", "Bearer")
				}
				write(w, p)
				return
			}
		}
		if r.Context().Err() == nil {
			a.Log.ErrorContext(r.Context(), "a request failed", "method", r.Method, "route", r.Pattern, "error", err)
		}
		write(w, problem{Title: "internal error", Status: http.StatusInternalServerError})
	})
}

func write(w http.ResponseWriter, p problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone if this fails
}

func respond(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client is gone if this fails
	return nil
}

const maxJSON = 1 << 20

// decode reads a JSON body strictly: a member that the service does not know is refused rather than bound to something.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxJSON))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%w: the body is not the JSON object that is expected here", ErrInput)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the JSON object", ErrInput)
	}
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
