package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/partywall/partywall/reference/events"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func (a *api) streamRoutes() []route {
	return []route{
		tenants("GET /v1/events", a.streamEvents).lasting(endless),
		tenants("GET /v1/ws", a.streamTopic).lasting(endless),
	}
}

// sendFor is how long a client may take to receive something.
const sendFor = 10 * time.Second

// topics are what a client may follow on a WebSocket: kinds of objects of its own tenant. There are no others, so that a name
// cannot lead anywhere.
var topics = map[string]string{
	"categories": "category", "comments": "comment", "documents": "document", "exports": "export", "files": "file", "invoices": "invoice",
	"notes": "note", "preferences": "preference", "projects": "project", "webhooks": "webhook",
}

// Topic under which objects of a kind are followed; there is none for most of what a trail holds.
func Topic(kind string) (topic string, ok bool) {
	for topic, one := range topics {
		if one == kind {
			return topic, true
		}
	}
	return "", false
}

// A listener is the client of a stream.
type listener struct {
	send func(ctx context.Context, e events.Event) error
	beat func(ctx context.Context) error // shows that the stream lives
}

// follow subscribes to the events of the tenant of a request, for as long as the client and the tenant are there. The caller
// stops it.
func (a *api) follow(r *http.Request, after string) (ctx context.Context, feed *events.Subscription, stop func(), err error) {
	id, err := tenant.From(r.Context())
	if err != nil {
		return nil, nil, nil, err
	}
	longest := a.StreamFor
	if longest == 0 {
		longest = time.Hour
	}
	bounded, end := context.WithTimeout(r.Context(), longest)
	ctx, closed := a.Lifecycle.UntilClosed(bounded, id.Tenant)
	cancel := func() { closed(); end() }
	if feed, err = a.Feed.Subscribe(ctx, after); err != nil {
		cancel()
		return nil, nil, nil, err
	}
	return ctx, feed, func() { feed.Close(); cancel() }, nil
}

// stream sends events until the client goes, the service ends or the tenant is closed. At every heartbeat what brought the
// client here is checked again: a token that expired, or a tenant that another process closed, ends it.
func (a *api) stream(ctx context.Context, r *http.Request, feed *events.Subscription, l listener) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	if err := l.beat(ctx); err != nil {
		return err
	}
	checked := time.Now()
	for {
		found, err := feed.Next(ctx, time.Until(checked.Add(a.Heartbeat)))
		if err != nil {
			return err
		}
		if time.Since(checked) >= a.Heartbeat {
			if err := a.still(ctx, r, id); err != nil {
				return err
			}
			if err := l.beat(ctx); err != nil {
				return err
			}
			checked = time.Now()
		}
		for _, e := range found {
			if err := l.send(ctx, e); err != nil {
				return err
			}
		}
	}
}

// still asks again what the chain asked when the request came.
func (a *api) still(ctx context.Context, r *http.Request, was tenant.Identity) error {
	is, err := a.Authenticate(r)
	if err != nil {
		return err
	}
	if is.Tenant != was.Tenant || is.User != was.User {
		return ErrUnauthenticated
	}
	if _, err := a.Gate(ctx, is); err != nil {
		return err
	}
	return a.Live(ctx)
}

// streamEvents is a feed of server-sent events.
func (a *api) streamEvents(w http.ResponseWriter, r *http.Request) error {
	ctx, feed, stop, err := a.follow(r, r.Header.Get("Last-Event-ID"))
	if err != nil {
		return err
	}
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	write := func(text string) error {
		if err := control.SetWriteDeadline(time.Now().Add(sendFor)); err != nil {
			return err
		}
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return control.Flush()
	}
	err = a.stream(ctx, r, feed, listener{
		beat: func(context.Context) error { return write(": still here\n\n") },
		send: func(_ context.Context, e events.Event) error {
			data, err := json.Marshal(e) // it has no line breaks
			if err != nil {
				return err
			}
			return write(fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, data))
		},
	})
	a.ended(r, err)
	return nil
}

// ended logs why a stream is over, where that is not the way of streams. There is nothing left to answer.
func (a *api) ended(r *http.Request, err error) {
	for _, expected := range []error{context.Canceled, context.DeadlineExceeded, events.ErrClosed, ErrUnauthenticated, ErrInactive} {
		if errors.Is(err, expected) {
			return
		}
	}
	a.Log.DebugContext(r.Context(), "a stream ended", "route", r.Pattern, "error", err)
}

// streamTopic sends the events of one kind of objects over a WebSocket. What the client says is not listened to.
func (a *api) streamTopic(w http.ResponseWriter, r *http.Request) error {
	topic, err := parameter(r, "topic", 100)
	if err != nil {
		return err
	}
	kind, ok := topics[topic]
	if !ok {
		return store.ErrNotFound
	}
	after, err := parameter(r, "after", 100)
	if err == nil {
		err = events.Position(after)
	}
	if err != nil {
		return err
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		return ErrUpgrade
	}
	ctx, feed, stop, err := a.follow(r, after)
	if err != nil {
		return err
	}
	defer stop()
	// A page of another origin is refused: the origin must be the host that was asked.
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return nil //nolint:nilerr // it was answered
	}
	defer func() { _ = conn.CloseNow() }() // it does nothing where the stream was closed in good order
	conn.SetReadLimit(1 << 10)
	ctx = conn.CloseRead(ctx)
	err = a.stream(ctx, r, feed, listener{
		beat: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, sendFor)
			defer cancel()
			return conn.Ping(ctx)
		},
		send: func(ctx context.Context, e events.Event) error {
			if e.Kind != kind {
				return nil
			}
			data, err := json.Marshal(e)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, sendFor)
			defer cancel()
			return conn.Write(ctx, websocket.MessageText, data)
		},
	})
	_ = conn.Close(websocket.StatusGoingAway, "the stream is over") // the client may be gone
	a.ended(r, err)
	return nil
}
