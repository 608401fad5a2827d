package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/partywall/partywall/harness"
)

// Open returns the described target. Nothing is sent until a run provisions its tenants.
func Open(d *Description) (harness.Target, error) {
	t := &target{d: d, client: harness.NewTransport(), captured: map[string]map[string]string{}}
	if d.Provision != nil && len(d.Delete) > 0 {
		return mortal{t}, nil
	}
	return t, nil
}

type target struct {
	d      *Description
	client *http.Transport

	mu       sync.Mutex
	lent     int                          // accounts given out
	captured map[string]map[string]string // tenant id to the values of its provision, for its end
}

func (t *target) Name() string             { return t.d.Name }
func (t *target) Surface() harness.Surface { return t.d.Surface }

// Secrets implements harness.Secretive: what came from the environment.
func (t *target) Secrets() map[string]string { return t.d.secrets }

func (t *target) Send(_ context.Context, _ harness.Actor, r *http.Request) (*http.Response, error) {
	return t.client.RoundTrip(r)
}

func (t *target) Close(context.Context) error {
	t.client.CloseIdleConnections()
	return nil
}

func (t *target) Provision(ctx context.Context, name string) (harness.Tenant, error) {
	if t.d.Provision == nil {
		return t.lend()
	}
	p := t.d.Provision
	values := map[string]string{"name": name, "unique": strings.ToLower(rand.Text()[:8])}
	for i, step := range p.Steps {
		err := t.step(ctx, step, values)
		if strange(name) && refusesName(err) {
			err = fmt.Errorf("%w: %w", harness.ErrName, err)
		}
		if err != nil {
			return harness.Tenant{}, fmt.Errorf("step %d of provision: %w", i+1, err)
		}
	}
	out := harness.Tenant{ID: fill(p.ID, values, nil), Name: fill(p.Name, values, nil), Principals: principals(p.Principals, values)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.captured[out.ID] = values
	return out, nil
}

// lend gives out the next account that exists.
func (t *target) lend() (harness.Tenant, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lent == len(t.d.Tenants) {
		return harness.Tenant{}, harness.ErrNoTenant
	}
	a := t.d.Tenants[t.lent]
	t.lent++
	return harness.Tenant{ID: a.ID, Name: a.Name, Borrowed: true, Principals: principals(a.Principals, nil)}, nil
}

func principals(described []Principal, values map[string]string) (out []harness.Principal) {
	for _, p := range described {
		out = append(out, harness.Principal{Name: p.Name, Role: p.Role, Credential: p.Credential.open(values)})
	}
	return out
}

func (c Credential) open(values map[string]string) harness.Credential {
	switch {
	case c.Header != nil:
		return harness.Header{Name: c.Header.Name, Value: fill(c.Header.Value, values, nil)}
	case c.Cookie != "":
		return harness.Header{Name: "Cookie", Value: fill(c.Cookie, values, nil)}
	case c.Basic != nil:
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(fill(c.Basic.User, values, nil), fill(c.Basic.Password, values, nil))
		return harness.Header{Name: "Authorization", Value: r.Header.Get("Authorization")}
	default:
		return harness.Bearer(fill(c.Bearer, values, nil))
	}
}

// mortal is a target whose tenants can be ended.
type mortal struct{ *target }

func (m mortal) Delete(ctx context.Context, tenant harness.Tenant) error {
	m.mu.Lock()
	values := m.captured[tenant.ID]
	delete(m.captured, tenant.ID)
	m.mu.Unlock()
	if values == nil {
		return fmt.Errorf("the tenant %s was not provisioned here, or is gone already", tenant.ID)
	}
	for i, step := range m.d.Delete {
		if err := m.step(ctx, step, values); err != nil {
			return fmt.Errorf("step %d of delete: %w", i+1, err)
		}
	}
	return nil
}

// step sends one request and captures from its answer. Its errors never show a body: it may hold credentials.
func (t *target) step(ctx context.Context, s Step, values map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var body io.Reader
	if s.JSON != nil {
		data, err := json.Marshal(fillTree(s.JSON, values))
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, s.Method, strings.TrimSuffix(t.d.BaseURL, "/")+fill(s.Path, values, url.PathEscape), body)
	if err != nil {
		return fmt.Errorf("%s %s makes no request", s.Method, s.Path) // the cause would quote what was filled in
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range s.Header {
		r.Header.Set(name, fill(value, values, nil))
	}
	answer, err := harness.Recorded(ctx, t.client).RoundTrip(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.Method, s.Path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.Method, s.Path, err)
	}
	if answer.StatusCode > 299 {
		return fmt.Errorf("%s %s: %w", s.Method, s.Path, statusError(answer.StatusCode))
	}
	for name, pointer := range s.Capture {
		value, ok := find(data, pointer)
		if !ok {
			return fmt.Errorf("%s %s: the answer holds nothing at %s", s.Method, s.Path, pointer)
		}
		values[name] = value
		if p := t.d.Provision; !strings.Contains(p.ID+p.Name, "{"+name+"}") {
			harness.Conceal(ctx, value, "<"+name+">") // whatever is not the tenant's name may open a door
		}
	}
	return nil
}

// statusError is an answer that is no success.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("it answered %d", int(s)) }

// strange is a name of a form that the harness wishes for only to see whether the service takes it.
func strange(name string) bool {
	return strings.ContainsFunc(name, func(c rune) bool { return c == '_' || unicode.IsUpper(c) })
}

// refusesName tells whether a service turned a request down for what stands in it.
func refusesName(err error) bool {
	var status statusError
	return errors.As(err, &status) && slices.Contains([]statusError{http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity}, status)
}

var placeholder = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// fill replaces {name}. What has no value stays as it is, and the service will say what it thinks of it.
func fill(template string, values map[string]string, escape func(string) string) string {
	return placeholder.ReplaceAllStringFunc(template, func(m string) string {
		value, ok := values[m[1:len(m)-1]]
		switch {
		case !ok:
			return m
		case escape != nil:
			return escape(value)
		default:
			return value
		}
	})
}

func fillTree(v any, values map[string]string) any {
	switch v := v.(type) {
	case string:
		return fill(v, values, nil)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fillTree(v[i], values)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = fillTree(v[key], values)
		}
		return out
	default:
		return v
	}
}

// find resolves a JSON pointer (RFC 6901) to a text or a number.
func find(data []byte, pointer string) (string, bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return "", false
	}
	for _, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch v := value.(type) {
		case map[string]any:
			value = v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return "", false
			}
			value = v[i]
		default:
			return "", false
		}
	}
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	default:
		return "", false
	}
}
