// Package logging writes entries that say for whom something was done, and hold nothing that must not be read.
//
// A [Handler] stands before any other handler of log/slog. It adds the tenant, the user and the request from the context to every
// entry, at the top, whatever groups are open, so that one filter finds all that concerns a tenant. And it lets [Redact] look at
// every attribute, also within groups, errors and values that are made when they are logged: who writes a log line cannot be asked
// to remember what is secret. It fails closed: what it cannot look into is not written.
package logging

import (
	"context"
	"log/slog"
	"slices"

	"github.com/partywall/partywall/reference/tenant"
)

// Names of the attributes that come from the context. No other attribute at the top bears one of them.
const (
	Tenant  = "tenant"
	User    = "user"
	Request = "request"
)

// Handler adds who acts and takes out what is secret, then hands on.
type Handler struct {
	// Redact an attribute, whose value is resolved.
	Redact func(slog.Attr) slog.Attr

	// Next writes what is left.
	Next slog.Handler

	scopes []scope
}

// scope is a group that is open, with what was added to it; the first has no name.
type scope struct {
	group string
	attrs []slog.Attr
}

// New returns a handler before another.
func New(next slog.Handler) *Handler {
	return &Handler{Redact: Redact, Next: next, scopes: []scope{{}}}
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Next.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	out := h.clone()
	last := &out.scopes[len(out.scopes)-1]
	last.attrs = slices.Concat(last.attrs, attrs)
	return out
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	out := h.clone()
	out.scopes = append(out.scopes, scope{group: name})
	return out
}

func (h *Handler) clone() *Handler {
	out := *h
	out.scopes = slices.Clone(h.scopes)
	return &out
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	var attrs []slog.Attr
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	// From the innermost group outwards, so that what comes from the context can stand at the top.
	for _, s := range slices.Backward(h.scopes) {
		attrs = slices.Concat(s.attrs, attrs)
		if s.group != "" {
			attrs = []slog.Attr{{Key: s.group, Value: slog.GroupValue(attrs...)}}
		}
	}
	attrs = slices.DeleteFunc(attrs, func(a slog.Attr) bool { return a.Key == Tenant || a.Key == User || a.Key == Request })
	out := slog.NewRecord(r.Time, r.Level, scrubbed(r.Message), r.PC)
	out.AddAttrs(acting(ctx)...)
	for _, a := range attrs {
		out.AddAttrs(h.redacted(a))
	}
	return h.Next.Handle(ctx, out)
}

// acting are the attributes from the context. A user is worth no more than the tenant that knows him.
func acting(ctx context.Context) (attrs []slog.Attr) {
	if id, err := tenant.From(ctx); err == nil {
		attrs = append(attrs, slog.String(Tenant, string(id.Tenant)), slog.String(User, id.User))
	}
	if o := tenant.OriginOf(ctx); o.Request != "" {
		attrs = append(attrs, slog.String(Request, o.Request))
	}
	return attrs
}

// redacted goes into groups. A group with a sensitive name goes as a whole.
func (h *Handler) redacted(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve() // what panics there, slog writes as text
	if a.Value.Kind() != slog.KindGroup {
		return h.Redact(a)
	}
	if whole := h.Redact(slog.String(a.Key, "")); whole.Value.String() != "" {
		return whole
	}
	inner := make([]slog.Attr, 0, len(a.Value.Group()))
	for _, one := range a.Value.Group() {
		inner = append(inner, h.redacted(one))
	}
	return slog.Attr{Key: a.Key, Value: slog.GroupValue(inner...)}
}
