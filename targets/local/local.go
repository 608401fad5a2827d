// Package local serves an http.Handler of the same process on loopback, as a target: for go test, where starting the
// service is calling a function.
package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/partywall/partywall/harness"
)

// Config of a local target. Handler, Surface and Provision are required.
type Config struct {
	Name    string
	Handler http.Handler
	// Surface of the handler; its BaseURL is filled in.
	Surface harness.Surface
	// Provision makes a tenant and signs its people in. It may send requests with the client to the URL; they are recorded
	// without their bodies.
	Provision func(ctx context.Context, client *http.Client, url, name string) (harness.Tenant, error)
	// Delete ends a tenant. Optional: without it, scenarios that end tenants are skipped.
	Delete func(ctx context.Context, client *http.Client, url string, t harness.Tenant) error
}

// ErrConfig means that a required field is missing.
var ErrConfig = errors.New("a local target needs a handler, a surface and a way to provision tenants")

// Open serves the handler until the target is closed.
func Open(cfg Config) (harness.Target, error) {
	if cfg.Handler == nil || cfg.Provision == nil {
		return nil, ErrConfig
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	t := &target{cfg: cfg, url: "http://" + listener.Addr().String(), client: harness.NewTransport(), served: make(chan error, 1)}
	t.cfg.Surface.BaseURL = t.url
	t.server = &http.Server{Handler: cfg.Handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { t.served <- t.server.Serve(listener) }()
	if cfg.Delete != nil {
		return mortal{t}, nil
	}
	return t, nil
}

type target struct {
	cfg    Config
	url    string
	client *http.Transport
	server *http.Server
	served chan error
}

func (t *target) Name() string             { return t.cfg.Name }
func (t *target) Surface() harness.Surface { return t.cfg.Surface }

func (t *target) Send(_ context.Context, _ harness.Actor, r *http.Request) (*http.Response, error) {
	return t.client.RoundTrip(r)
}

func (t *target) Provision(ctx context.Context, name string) (harness.Tenant, error) {
	return t.cfg.Provision(ctx, t.own(ctx), t.url, name)
}

// own is a client for the target's own requests. It follows no redirect, as the harness does not.
func (t *target) own(ctx context.Context) *http.Client {
	return &http.Client{
		Transport:     harness.Recorded(ctx, t.client),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (t *target) Close(context.Context) error {
	t.client.CloseIdleConnections()
	err := t.server.Close()
	if end := <-t.served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// mortal is a target whose tenants can be ended.
type mortal struct{ *target }

func (m mortal) Delete(ctx context.Context, t harness.Tenant) error {
	return m.cfg.Delete(ctx, m.own(ctx), m.url, t)
}
