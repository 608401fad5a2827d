package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/minio/minio-go/v7"
)

// patience is how long a request may wait for the engines behind the service, and its client for it. It then ends with 503, like
// one whose engine is down.
type patience int

const (
	usual   patience = iota // Config.Patience
	long                    // Config.LongPatience, of routes that move as many bytes or rows as a client or tenant has
	endless                 // of answers that have no end by themselves
)

const (
	retryAfter = 5 * time.Second
	// parting is how long a client may take, at most, for what it still has to send or receive when the patience is over.
	parting = 5 * time.Second
)

// lasting gives a route another patience than others have.
func (r route) lasting(p patience) route {
	r.patience = p
	return r
}

// within ends what waits for longer than the patience of a route: for an engine by the context, for the client by deadlines. A body
// that trickles in, or an answer that is not fetched, would else hold a tenant open that is to be closed.
func (a *api) within(p patience, next http.Handler) http.Handler {
	if p == endless {
		return next
	}
	limit := map[patience]time.Duration{usual: a.Patience, long: a.LongPatience}[p]
	if limit == 0 {
		limit = map[patience]time.Duration{usual: 10 * time.Second, long: 2 * time.Minute}[p]
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		last, control := time.Now().Add(limit), http.NewResponseController(w)
		rest := min(limit, parting)
		// Where there is no connection to set them on, there is nobody who could be slow. Who is too slow to send is told so. The
		// server takes the deadlines back behind a request.
		_, _ = control.SetReadDeadline(last.Add(rest/2)), control.SetWriteDeadline(last.Add(rest))
		next.ServeHTTP(&lastWord{w, last, rest}, r.WithContext(ctx))
	})
}

// A lastWord reaches the client also where the patience was over long before it: what a change leaves behind is put in order first, and
// that has a patience of its own. Its connection is of no further use, since the deadline of reading has passed.
type lastWord struct {
	http.ResponseWriter
	last time.Time
	rest time.Duration
}

// WriteHeader implements http.ResponseWriter.
func (l *lastWord) WriteHeader(status int) {
	if now := time.Now(); now.After(l.last) {
		l.Header().Set("Connection", "close")
		_ = http.NewResponseController(l.ResponseWriter).SetWriteDeadline(now.Add(l.rest))
	}
	l.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (l *lastWord) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// isUnavailable tells an engine that cannot be reached, or does not answer in time, from a mistake of ours.
func isUnavailable(err error) bool {
	var network net.Error
	for _, down := range []error{context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, pgconn.ErrConnClosed} {
		if errors.Is(err, down) {
			return true
		}
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// Connection exceptions, too few resources, operator intervention, a statement that took too long, failures of the system (Postgres, appendix A).
		for _, class := range []string{"08", "53", "57P", "57014", "58"} {
			if strings.HasPrefix(pg.Code, class) {
				return true
			}
		}
		return false
	}
	var connect *pgconn.ConnectError
	var s3 minio.ErrorResponse
	return errors.As(err, &network) || errors.As(err, &connect) || errors.As(err, &s3) && s3.StatusCode >= http.StatusInternalServerError
}
