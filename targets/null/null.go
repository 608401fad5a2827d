// Package null holds hosts on which no harness may ever say "held" or "breached": nobody is there, or nothing that is
// there tells tenants apart.
package null

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/targets/local"
)

// A Host is one kind of nobody.
type Host struct {
	Name    string
	Handler http.Handler // nil: no one listens
}

// Hosts are all null hosts.
func Hosts() []Host {
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	return []Host{
		{"dead", nil},
		{"always 404", status(404)},
		{"always 401", status(401)},
		{"always 403", status(403)},
		{"always 500", status(500)},
		{"always 429", status(429)},
		{"always 429, come back", http.HandlerFunc(comeBack)},
		{"200 {}", says("application/json", "{}")},
		{"a page for every path", says("text/html", "<!doctype html><title>App</title><div id=root></div>")},
		{"echo", http.HandlerFunc(echo)},
		{"slow-loris", http.HandlerFunc(drip)},
	}
}

func says(kind, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, text)
	})
}

// comeBack is a limiter that promises to let everybody in a second later, for ever.
func comeBack(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusTooManyRequests)
}

// echo sends back the path, the headers and the body, under the members that an answer's id is looked for, too.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // what could be read is echoed
	for name, values := range r.Header {
		w.Header()["X-Echo-"+name] = values
	}
	w.Header().Set("Location", r.URL.String())
	_, _ = fmt.Fprintf(w, `{"id":%q,"path":%q,"headers":%q,"body":%q}`, r.URL.Path, r.URL.String(), fmt.Sprint(r.Header), body)
}

// drip sends a byte now and then, for as long as somebody listens.
func drip(w http.ResponseWriter, r *http.Request) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if _, err := io.WriteString(w, " "); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush() // a client that is gone shows at the next write
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}

// Open a null host under a surface, with credentials that were never issued.
func Open(ctx context.Context, h Host, surface harness.Surface) (harness.Target, error) {
	cfg := local.Config{
		Name: h.Name, Handler: h.Handler, Surface: surface,
		Provision: func(_ context.Context, _ *http.Client, _, name string) (harness.Tenant, error) {
			return harness.Tenant{
				ID: "id-of-" + name, Name: name,
				Principals: []harness.Principal{{Name: "alice", Credential: harness.Bearer("never-issued-to-" + name)}},
			}, nil
		},
		Delete: func(context.Context, *http.Client, string, harness.Tenant) error { return nil },
	}
	if h.Handler != nil {
		return local.Open(cfg)
	}
	cfg.Handler = http.NotFoundHandler()
	target, err := local.Open(cfg)
	if err != nil {
		return nil, err
	}
	return gone{target}, gone{target}.hangUp(ctx)
}

// gone is a target whose server has been closed: its port answers nobody.
type gone struct{ harness.Target }

func (g gone) hangUp(ctx context.Context) error {
	if err := g.Target.Close(ctx); err != nil {
		return fmt.Errorf("close the port: %w", err)
	}
	return nil
}

// Close has nothing left to do.
func (g gone) Close(context.Context) error { return nil }
