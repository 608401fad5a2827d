package api

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/partywall/partywall/reference/tenant"
)

// Visit is a request that is over, as far as those may know who watch: never its path, its query or its body, which may hold
// what is secret.
type Visit struct {
	tenant.Origin
	Method   string
	Route    string          // the pattern; empty where no route was found
	Identity tenant.Identity // who was let in; zero for nobody
	Status   int
	Took     time.Duration
	Err      error // why it was refused, or failed
}

// A Watcher is told of every visit, after it was answered.
type Watcher func(ctx context.Context, v Visit)

type visitKey struct{}

// visit that a context belongs to. Handlers that run without one note into nothing.
func visit(ctx context.Context) *Visit {
	if v, ok := ctx.Value(visitKey{}).(*Visit); ok {
		return v
	}
	return &Visit{}
}

// visited gives a request its origin, and tells the watchers of it when it is over.
func (a *api) visited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		v := &Visit{Method: r.Method, Origin: tenant.Origin{Request: rand.Text(), IP: address(r, a.Proxies), Agent: agent(r)}}
		seen := &seen{ResponseWriter: w}
		r = r.WithContext(tenant.WithOrigin(context.WithValue(r.Context(), visitKey{}, v), v.Origin))
		next.ServeHTTP(seen, r)
		_, v.Route, _ = strings.Cut(r.Pattern, " ")
		v.Status, v.Took = seen.status, time.Since(began)
		if v.Status == 0 {
			v.Status = http.StatusOK
		}
		ctx := whose(r.Context())
		for _, watch := range a.Watch {
			watch(ctx, *v)
		}
	})
}

// whose is a context that says who was let in by a visit, for what is written about it outside of the chain.
func whose(ctx context.Context) context.Context {
	if id := visit(ctx).Identity; id.Tenant != "" {
		return tenant.NewContext(ctx, id)
	}
	return ctx
}

// seen notes the status of an answer. What else the writer can do is found behind Unwrap.
type seen struct {
	http.ResponseWriter
	status int
}

func (s *seen) WriteHeader(status int) {
	if s.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *seen) Write(data []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(data)
}

// Unwrap is for http.ResponseController.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// address of the client. What proxies say counts from the last on, for as long as each is trusted: what stands before was written
// by whoever liked to.
func address(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	client := peer.Addr().Unmap()
	told := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(told) - 1; i >= 0 && within(client, trusted); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(told[i]))
		if err != nil {
			break
		}
		client = before.Unmap()
	}
	return client.WithZone("").String()
}

func within(one netip.Addr, nets []netip.Prefix) bool {
	for _, net := range nets {
		if net.Contains(one) {
			return true
		}
	}
	return false
}

// agent is what the client says it is, as far as it can be stored.
func agent(r *http.Request) string {
	const most = 200
	text := strings.ReplaceAll(strings.ToValidUTF8(r.UserAgent(), "?"), "\x00", "?")
	if len(text) <= most {
		return text
	}
	end := most
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// AccessLog writes an entry for each visit. Who acted stands in it because of the context: see the package logging.
func AccessLog(log *slog.Logger) Watcher {
	return func(ctx context.Context, v Visit) {
		log.LogAttrs(ctx, slog.LevelInfo, "a request",
			slog.String("method", known(v.Method)), slog.String("route", v.Route), slog.Int("status", v.Status),
			slog.Duration("took", v.Took), slog.String("ip", v.IP))
	}
}

// known is a method by a name that somebody else than the client has chosen.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
