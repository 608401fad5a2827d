package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/partywall/partywall/reference/logging"
	"github.com/partywall/partywall/reference/tenant"
)

func written(t *testing.T, ctx context.Context, write func(*slog.Logger)) (string, map[string]any) {
	t.Helper()
	var out bytes.Buffer
	h := logging.New(slog.NewJSONHandler(&out, nil))
	l := slog.New(h)
	if ctx != nil {
		l.InfoContext(ctx, "done")
	}
	if write != nil {
		out.Reset()
		write(l)
	}
	entry := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &entry); err != nil {
		t.Fatalf("%s: %v", out.Bytes(), err)
	}
	return out.String(), entry
}

// TestConformance: it is a handler as any other.
func TestConformance(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return logging.New(slog.NewJSONHandler(&out, nil))
	}, func(t *testing.T) map[string]any {
		entry := map[string]any{}
		if err := json.Unmarshal(out.Bytes(), &entry); err != nil {
			t.Fatal(err)
		}
		return entry
	})
}

// TestTenant: who acts stands at the top of every entry, once, and nobody else can put a name there.
func TestTenant(t *testing.T) {
	ctx := tenant.NewContext(t.Context(), tenant.Identity{Tenant: "t-1", User: "alice@example.com"})
	ctx = tenant.WithOrigin(ctx, tenant.Origin{Request: "r-1"})
	text, entry := written(t, nil, func(l *slog.Logger) {
		l.With("tenant", "t-2", "part", "x").WithGroup("g").With("b", 1).InfoContext(ctx, "done", "user", "mallory", "n", 2)
	})
	if entry["tenant"] != "t-1" || entry["user"] != "alice@example.com" || entry["request"] != "r-1" || entry["part"] != "x" {
		t.Errorf("it writes %s", text)
	}
	if strings.Contains(text, "t-2") {
		t.Errorf("another tenant is named: %s", text)
	}
	if inner, _ := entry["g"].(map[string]any); inner["b"] != 1.0 || inner["n"] != 2.0 {
		t.Errorf("the group holds %v", entry["g"])
	}
	if _, entry = written(t, t.Context(), nil); entry["tenant"] != nil || entry["user"] != nil {
		t.Errorf("nobody acts, and it writes %v", entry)
	}
}

type credentials struct{ user, password string }

func (c credentials) LogValue() slog.Value {
	return slog.GroupValue(slog.String("user", c.user), slog.String("password", c.password))
}

type nested struct {
	Name   string
	APIKey string
	Inner  map[string]string
}

type panics struct{}

func (panics) LogValue() slog.Value { panic("leaked-by-panic-no") }

// TestRedact: what is secret is not written, wherever it stands; what is not, is.
func TestRedact(t *testing.T) {
	const secret = "hunter2-hunter2"
	jwt := "eyJhbGciOiJFZERTQSJ9.eyJ0aWQiOiJ4In0.c2lnbmF0dXJl"
	link := "3f0c6a528d0b4b6e9a3c6d1f5b7e2c01.ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for name, attr := range map[string]slog.Attr{
		"by name":             slog.String("password", secret),
		"by a word of it":     slog.String("refresh_token", secret),
		"by camel case":       slog.String("apiKey", secret),
		"in capitals":         slog.String("AUTHORIZATION", secret),
		"with dashes":         slog.Any("Set-Cookie", secret),
		"a body":              slog.String("body", secret),
		"bytes":               slog.Any("data", []byte(secret)),
		"in a group":          slog.Group("outer", slog.Group("inner", slog.String("secret", secret))),
		"a group by name":     slog.Group("credentials", slog.String("user", secret)),
		"made when logged":    slog.Any("login", credentials{"alice", secret}),
		"in a struct":         slog.Any("config", nested{Name: "n", APIKey: secret}),
		"in a map":            slog.Any("config", nested{Inner: map[string]string{"token": secret}}),
		"in a header":         slog.Any("header", http.Header{"Authorization": {"Bearer " + secret}}),
		"in a list":           slog.Any("args", []string{"password=" + secret}),
		"what cannot be read": slog.Any("odd", map[string]any{"f": func() {}, "x": secret}),
		"a DSN":               slog.String("error", "connect postgres://app:"+secret+"@host/db"),
		"words of a DSN":      slog.Any("error", errors.New("host=x password="+secret+" user=y")),
		"a wrapped error":     slog.Any("error", fmt.Errorf("call: %w", &url.Error{Op: "Get", URL: "http://s3/x?X-Amz-Signature=" + secret, Err: errors.New("no")})),
		"a bearer":            slog.String("text", "sent Bearer "+secret+" along"),
		"a value in Postgres": slog.Any("error", errors.New(`invalid input syntax for type uuid: "`+secret+`" (SQLSTATE 22P02)`)),
	} {
		text, _ := written(t, nil, func(l *slog.Logger) { l.Info("done", attr) })
		if strings.Contains(text, secret) {
			t.Errorf("%s: %s", name, text)
		}
		text, _ = written(t, nil, func(l *slog.Logger) { l.With(attr).WithGroup("later").Info("done", "n", 1) })
		if strings.Contains(text, secret) {
			t.Errorf("%s, given before: %s", name, text)
		}
	}
	for _, value := range []string{jwt, link, "AKIAABCDEFGHIJKLMNOP", "$2a$04$" + strings.Repeat("a", 53)} {
		text, _ := written(t, nil, func(l *slog.Logger) {
			l.Info("it was "+value, "path", "/x/"+value, "error", errors.New("of "+value), "list", []string{value})
		})
		if _, tail, _ := strings.Cut(value, "."); strings.Contains(text, value) || tail != "" && strings.Contains(text, tail) {
			t.Errorf("%s is written: %s", value, text)
		}
	}
	text, entry := written(t, nil, func(l *slog.Logger) {
		l.Info("a request", "route", "GET /v1/documents/{id}", "status", 404, "monkey", "banana", "object", "3f0c6a52-8d0b-4b6e-9a3c-6d1f5b7e2c01",
			"error", errors.New("run document.get: relation \"x\" does not exist"), "odd", panics{})
	})
	if entry["route"] != "GET /v1/documents/{id}" || entry["status"] != 404.0 || entry["monkey"] != "banana" || strings.Contains(text, logging.Redacted) {
		t.Errorf("what is no secret is missing: %s", text)
	}
}

// TestReplaced: the redaction is one function, and it is asked about everything.
func TestReplaced(t *testing.T) {
	var out bytes.Buffer
	h := logging.New(slog.NewJSONHandler(&out, nil))
	h.Redact = func(a slog.Attr) slog.Attr { return a }
	slog.New(h).Info("done", slog.Group("g", slog.String("password", "seen")))
	if !strings.Contains(out.String(), "seen") {
		t.Errorf("it writes %s", out.String())
	}
}

func BenchmarkEntry(b *testing.B) {
	var out bytes.Buffer
	l := slog.New(logging.New(slog.NewJSONHandler(&out, nil)))
	ctx := tenant.NewContext(b.Context(), tenant.Identity{Tenant: "3f0c6a52-8d0b-4b6e-9a3c-6d1f5b7e2c01", User: "alice@example.com"})
	for b.Loop() {
		out.Reset()
		l.InfoContext(ctx, "a request", "method", "GET", "route", "/v1/documents/{id}", "status", 200, "took", 1.5)
	}
}
