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

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference/tenant"
)

// Visit is a request that is over, as far as those may know who watch: never its query or its body, which may hold what is secret,
// and of its path the ids alone.
type Visit struct {
	tenant.Origin
	Method   string
	Route    string          // the pattern; empty where no route was found
	Identity tenant.Identity // who was let in; zero for nobody
	Status   int
	Took     time.Duration
	Err      error // why it was refused, or failed
	// Objects are the ids in its path that look like ours.
	Objects []string
	// Signs that it reached for another tenant, as far as it shows that by itself.
	Signs []Sign
}

// Sign of a request that reaches for another tenant.
type Sign string

// The signs. What a client may do by mistake or by age, such as to come with a token that has expired, is none.
const (
	ForgedToken   Sign = "token"    // a token that names our key and was not signed with it
	OtherTenant   Sign = "selector" // a header or parameter that names another tenant than the token
	StrangeCursor Sign = "cursor"   // a cursor of another list, or of nobody's
)

func sign(ctx context.Context, s Sign) {
	v := visit(ctx)
	v.Signs = append(v.Signs, s)
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
		v.Status, v.Took, v.Objects = seen.status, time.Since(began), objects(r)
		if v.Identity.Tenant != "" && namesAnother(r, v.Identity) {
			v.Signs = append(v.Signs, OtherTenant)
		}
		if v.Status == 0 {
			v.Status = http.StatusOK
		}
		ctx := whose(r.Context())
		for _, watch := range a.Watch {
			watch(ctx, *v)
		}
	})
}

// objects are the ids in the path of a request that found its route.
func objects(r *http.Request) (ids []string) {
	for part := range strings.SplitSeq(r.Pattern, "/") {
		name, wild := strings.CutPrefix(part, "{")
		if id := r.PathValue(strings.TrimSuffix(name, "}")); wild && uuid.Validate(id) == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// selectors are the headers and parameters by which clients of other services name a tenant. Ours looks at none of them.
var selectors = []string{
	"X-Tenant-ID", "X-Tenant", "Tenant-ID", "X-Org-ID", "X-Organization-ID", "X-Account-ID", "X-Scope-OrgID", "X-Workspace-ID",
	"tenant_id", "tenantId", "tenant", "org_id", "organization_id", "account_id", "workspace_id",
}

// namesAnother tells whether a request names a tenant that is not the one that its token is for.
func namesAnother(r *http.Request, id tenant.Identity) bool {
	query := r.URL.Query()
	for _, name := range selectors {
		for _, value := range append(r.Header.Values(name), query[name]...) {
			if value != "" && value != string(id.Tenant) && value != id.Slug {
				return true
			}
		}
	}
	return false
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
			slog.String("method", v.Word()), slog.String("route", v.Route), slog.Int("status", v.Status),
			slog.Duration("took", v.Took), slog.String("ip", v.IP))
	}
}

// Word is the method, or "other": what a client has chosen itself is not repeated.
func (v Visit) Word() string {
	switch v.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return v.Method
	default:
		return "other"
	}
}
