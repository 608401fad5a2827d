// Package reference opens the bundled reference service as a target: on a backing, with a strategy, and with faults
// planted if so asked.
package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/harness"
	service "github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/signing"
)

// Options of a reference target.
type Options struct {
	Strategy string // empty means "row"
	// Plant edits the parts before they are wired: planted faults.
	Plant []func(*service.Parts)
	// Replicas of the service, which answer in turn; 0 means one.
	Replicas int
	// Label is added to the target's name, for example "+read-by-id".
	Label string
}

// Target is a running reference service. It implements harness.Target, harness.Lifecycle, harness.Closer, harness.Tiered, harness.Clock and
// harness.Watcher.
type Target struct {
	name     string
	url      string
	operator string
	client   *http.Transport
	server   *http.Server
	served   chan error
	requests *signing.Requests
	backing  *backing.Service

	// What the service tells its operators.
	log, alerts tape
	metrics     []http.Handler // of each process

	strategy string

	mu          sync.Mutex
	serial      int
	provisioned int
	ahead       time.Duration // of the limiter's clock
}

// Open starts the service on an engine. The caller closes the target, and the engine after it.
func Open(ctx context.Context, engine *backing.Engine, o Options) (_ *Target, err error) {
	if o.Strategy == "" {
		o.Strategy = "row"
	}
	template, err := service.Template(o.Strategy)
	if err != nil {
		return nil, err
	}
	base, err := engine.Service(ctx, template)
	if err != nil {
		return nil, err
	}
	t := &Target{strategy: o.Strategy, name: "reference:" + o.Strategy + o.Label, backing: base, client: harness.NewTransport(), served: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, base.Close(context.WithoutCancel(ctx)))
		}
	}()
	cfg := service.Config{Strategy: o.Strategy, HashCost: bcrypt.MinCost, Log: slog.New(slog.NewJSONHandler(&t.log, nil))}
	all, handler, err := replicas(ctx, o, cfg, base, func(p *service.Parts) {
		p.Limiter.Now = t.now
		p.Monitor.Alarms = append(p.Monitor.Alarms, t.alerts.alarm)
	})
	if err != nil {
		return nil, err
	}
	for _, parts := range all {
		t.metrics = append(t.metrics, parts.API.Metrics)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the reference service: %w", err)
	}
	t.url, t.operator, t.requests = "http://"+listener.Addr().String(), all[0].API.OperatorKey, all[0].API.Requests
	t.server = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { t.served <- t.server.Serve(listener) }()
	return t, nil
}

// Name implements harness.Target.
func (t *Target) Name() string { return t.name }

// Surface implements harness.Target.
func (t *Target) Surface() harness.Surface {
	return stored(Surface(t.url), t.backing.S3.EndpointURL().Host)
}

// Send implements harness.Target.
func (t *Target) Send(_ context.Context, _ harness.Actor, r *http.Request) (*http.Response, error) {
	return t.client.RoundTrip(r)
}

// Close implements harness.Target.
func (t *Target) Close(ctx context.Context) error {
	t.client.CloseIdleConnections()
	err := t.server.Close()
	if end := <-t.served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return errors.Join(err, t.backing.Close(ctx))
}

// users are the same people at every tenant: isolation must not rest on names being different.
var users = []map[string]string{
	{"email": "alice@example.com", "role": "admin"},
	{"email": "bob@example.com", "role": "member"},
}

// Provision implements harness.Target. It takes the name itself if that is free and the service allows it, else one like it.
func (t *Target) Provision(ctx context.Context, name string) (harness.Tenant, error) {
	return t.ProvisionOn(ctx, t.tier(), name)
}

// ProvisionOn implements harness.Tiered.
func (t *Target) ProvisionOn(ctx context.Context, tier, name string) (harness.Tenant, error) {
	slug := name
	var made struct {
		ID    string
		Users []struct{ Email, Role, Password string }
	}
	for {
		err := t.call(ctx, t.operator, "POST", "/admin/tenants", map[string]any{"slug": slug, "name": name, "tier": tier, "users": users}, &made)
		var status statusError
		if errors.As(err, &status) && status == http.StatusConflict {
			t.mu.Lock()
			t.serial++
			slug = fmt.Sprintf("%s-%d", name, t.serial)
			t.mu.Unlock()
			continue
		}
		if errors.As(err, &status) && status == http.StatusBadRequest && slug != plainName(slug) {
			return harness.Tenant{}, fmt.Errorf("%w, %q: %w", harness.ErrName, slug, err)
		}
		if err != nil {
			return harness.Tenant{}, err
		}
		break
	}
	out := harness.Tenant{ID: made.ID, Name: slug}
	for _, u := range made.Users {
		var login struct{ Token string }
		err := t.call(ctx, "", "POST", "/v1/login", map[string]string{"tenant": slug, "email": u.Email, "password": u.Password}, &login)
		if err != nil {
			return harness.Tenant{}, err
		}
		person, _, _ := strings.Cut(u.Email, "@")
		out.Principals = append(out.Principals, harness.Principal{Name: person, Role: u.Role, Credential: harness.Bearer(login.Token)})
		if out.Key != nil || u.Role != "admin" {
			continue
		}
		if out.Key, out.Signature, err = t.program(ctx, login.Token); err != nil {
			return harness.Tenant{}, err
		}
	}
	return out, nil
}

// plainName is a name like the given one that the service allows. What it refuses of another form, it refuses for the name's sake.
func plainName(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// tier is one without limits. Where the tier decides on the room, each cast of three has two neighbours in rooms of one kind
// and one in another: some flaws show between the first alone.
func (t *Target) tier() string {
	tiers := []string{"test"}
	if t.strategy == "hybrid" {
		const shared, own, beside = "test", "test-schema", "test-database"
		tiers = []string{shared, shared, own, beside, beside, shared, own, own, beside}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.provisioned++
	return tiers[(t.provisioned-1)%len(tiers)]
}

// Delete implements harness.Lifecycle.
func (t *Target) Delete(ctx context.Context, tenant harness.Tenant) error {
	return t.call(ctx, t.operator, "DELETE", "/admin/tenants/"+tenant.ID, nil, nil)
}

// now is the clock of the limiter.
func (t *Target) now() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Now().Add(t.ahead)
}

// Advance implements harness.Clock.
func (t *Target) Advance(_ context.Context, d time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ahead += d
	return nil
}

// Shut implements harness.Closer.
func (t *Target) Shut(ctx context.Context, tenant harness.Tenant, how harness.Closing) error {
	switch at := "/admin/tenants/" + tenant.ID; how {
	case harness.Suspended:
		return t.call(ctx, t.operator, "POST", at+"/suspend", nil, nil)
	case harness.Offboarded:
		return t.call(ctx, t.operator, "POST", at+"/offboard", map[string]any{}, nil)
	default:
		return harness.Skip("the service cannot have a tenant %s", how)
	}
}

type statusError int

func (s statusError) Error() string { return fmt.Sprintf("the reference service answered %d", int(s)) }

func (t *Target) call(ctx context.Context, token, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, t.url+path, body)
	if err != nil {
		return err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := harness.Recorded(ctx, t.client).RoundTrip(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode > 299 {
		_, _ = io.Copy(io.Discard, answer.Body) // so that the connection can be used again
		return fmt.Errorf("%s %s: %w", method, path, statusError(answer.StatusCode))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(out)
}
