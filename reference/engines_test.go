package reference_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/backing/backingtest"
)

// line is a TCP proxy before an engine that can be cut, and mended.
type line struct {
	listener net.Listener
	network  string

	mu     sync.Mutex
	target string
	state  string // "", "cut" or "stalled"
	open   map[net.Conn]bool
}

func newLine(t testing.TB, network, target string) *line {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, network: network, target: target, open: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { l.carry(conn, &running) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.set("cut")
		running.Wait()
	})
	return l
}

func (l *line) carry(client net.Conn, running *sync.WaitGroup) {
	l.mu.Lock()
	target := l.target
	l.mu.Unlock()
	engine, err := net.Dial(l.network, target)
	if err != nil || !l.keep(client, engine) {
		_ = client.Close()
		return
	}
	for _, way := range [][2]net.Conn{{client, engine}, {engine, client}} {
		running.Go(func() {
			_, _ = io.Copy(gate{l, way[0]}, way[1])
			_, _ = client.Close(), engine.Close()
		})
	}
}

// gate lets nothing pass while the line is stalled.
type gate struct {
	*line
	net.Conn
}

func (g gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	stalled := g.state == "stalled"
	g.mu.Unlock()
	if stalled {
		return len(p), nil
	}
	return g.Conn.Write(p)
}

// moved says where the engine is now.
func (l *line) moved(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = target
}

func (l *line) keep(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		l.open[c] = true
	}
	return l.state != "cut"
}

// set cuts or mends the line. What was stalled has lost bytes: its connections end when it is mended.
func (l *line) set(state string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
	if state != "stalled" {
		for c := range l.open {
			_ = c.Close()
		}
		clear(l.open)
	}
}

// behind starts the service on engines that stand behind lines, with the clients of the external backing.
func behind(t *testing.T, strategy string, edits ...func(*reference.Parts)) (*service, map[string]*line) {
	t.Helper()
	template, err := reference.Template(strategy)
	if err != nil {
		t.Fatal(err)
	}
	return behindLines(t, strategy, template, backingtest.Service(t, template), edits...)
}

// behindLines is behind for the engines of a service, which itself is asked for their addresses and no more.
func behindLines(
	t *testing.T, strategy string, template backing.Template, base *backing.Service, edits ...func(*reference.Parts),
) (*service, map[string]*line) {
	t.Helper()
	owner := base.Owner.Config().ConnConfig
	network, address := pgconnAddress(owner)
	lines := map[string]*line{
		"Postgres": newLine(t, network, address),
		"Redis":    newLine(t, "tcp", base.Redis.Options().Addr),
		"S3":       newLine(t, "tcp", base.S3.EndpointURL().Host),
	}
	at := func(name string) string { return lines[name].listener.Addr().String() }
	keys, err := base.S3.GetCreds()
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(at("Postgres"))
	t.Setenv(backing.EnvPostgres, "host="+host+" port="+port+" sslmode=disable user="+owner.User+" password='"+owner.Password+"'")
	lent := base.Redis.Options() // the one Redis of the backing may have databases of others
	t.Setenv(backing.EnvRedis, (&url.URL{
		Scheme: "redis", User: url.UserPassword("", lent.Password), Host: at("Redis"), Path: "/" + strconv.Itoa(lent.DB),
	}).String())
	t.Setenv(backing.EnvS3, (&url.URL{Scheme: "http", User: url.UserPassword(keys.AccessKeyID, keys.SecretAccessKey), Host: at("S3")}).String())
	engine, err := backing.Open(t.Context(), "external")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	own, err := engine.Service(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := own.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return serve(t, strategy, own, edits...), lines
}

func pgconnAddress(c *pgx.ConnConfig) (network, address string) {
	if strings.HasPrefix(c.Host, "/") {
		return "unix", c.Host + "/.s.PGSQL." + strconv.Itoa(int(c.Port))
	}
	return "tcp", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
}

// TestEngineDown: while an engine is away, what needs it is refused with 503 and nothing is let through; when it is back, so is
// the service.
func TestEngineDown(t *testing.T) {
	for _, strategy := range []string{"schema", "database"} {
		t.Run(strategy, func(t *testing.T) {
			s, lines := behind(t, strategy)
			_, token := s.admit("acme")
			limited := s.admitTo("small", "enterprise")
			doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": "a", "title": "b", "body": "c"})["id"].(string)
			s.want(204, token, "PUT", "/v1/files/x", "v")
			s.want(200, token, "PUT", "/v1/preferences/x", map[string]string{"value": "old"})
			s.want(200, token, "GET", "/v1/preferences/x", nil)
			value := map[string]string{"value": "new"}
			type try struct {
				token, method, path string
				body                any
			}
			needs := map[string][]try{
				"Redis": {
					{limited, "GET", "/v1/whoami", nil},
					{limited, "GET", "/v1/documents", nil},
					{token, "PUT", "/v1/preferences/x", value},
					{token, "DELETE", "/v1/preferences/x", nil},
				},
				"S3": {
					{token, "GET", "/v1/files", nil},
					{token, "GET", "/v1/files/x", nil},
					{token, "PUT", "/v1/files/x", "w"},
					{token, "DELETE", "/v1/files/x", nil},
				},
			}
			for _, r := range api.Routes() {
				if r.Guard == api.Chain {
					method, path, _ := strings.Cut(r.Pattern, " ")
					needs["Postgres"] = append(needs["Postgres"], try{token, method, fill(path, map[string]string{"id": doc, "name...": "x", "path...": "x"}), nil})
				}
			}
			needs["Postgres"] = append(needs["Postgres"], try{
				s.parts.API.OperatorKey, "POST", "/admin/tenants",
				map[string]any{"slug": "new", "tier": "test", "users": []any{map[string]string{"email": "a@example.com", "role": "admin"}}},
			}, try{"", "POST", "/v1/login", map[string]string{"tenant": "acme", "email": "alice@example.com", "password": "x"}})
			for name, line := range lines {
				line.set("cut")
				for _, n := range needs[name] {
					header := s.problem(name+" is away", 503, n.token, n.method, n.path, http.Header{"Content-Type": {"application/json"}}, asText(n.body))
					if header.Get("Retry-After") == "" {
						t.Errorf("%s %s says %v", n.method, n.path, header)
					}
				}
				s.want(200, "", "GET", "/healthz", nil)
				if name != "Postgres" {
					s.want(200, token, "GET", "/v1/documents/"+doc, nil)
					if got := s.want(200, token, "GET", "/v1/preferences/x", nil); got["value"] != "old" {
						t.Errorf("without %s the preference is %v", name, got)
					}
				}
				line.set("")
				s.comesBack(token, "/v1/documents/"+doc)
				s.comesBack(token, "/v1/files/x")
				s.comesBack(limited, "/v1/whoami")
				s.comesBack(token, "/v1/preferences/x")
			}
		})
	}
}

// TestNobodyToTell: what was written stays written, and is not made again, where its announcement reaches nobody.
func TestNobodyToTell(t *testing.T) {
	s, lines := behind(t, "row")
	_, token := s.admit("acme")
	lines["Redis"].set("cut")
	for _, replayed := range []string{"", "true"} {
		header := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"k"}}
		status, answered, text := s.raw(token, "POST", "/v1/invoices", header, `{"customer":"Globex","amount_cents":100}`)
		if status != 201 || answered.Get("Idempotent-Replayed") != replayed {
			t.Errorf("%d, replayed %q: %s", status, answered.Get("Idempotent-Replayed"), text)
		}
	}
	lines["Redis"].set("")
	if got := s.want(200, token, "GET", "/v1/invoices/totals", nil); got["count"] != 1.0 {
		t.Errorf("the totals are %v", got)
	}
}

// TestEngineStalls: a request to an engine that takes what it is sent and never answers is answered nevertheless. Nothing but the
// patience of the request ends it: the line stays stalled until the answer is there.
func TestEngineStalls(t *testing.T) {
	s, lines := behind(t, "rls", impatient)
	_, token := s.admit("acme")
	limited := s.admitTo("small", "enterprise")
	s.want(204, token, "PUT", "/v1/files/x", "v")
	s.want(200, limited, "GET", "/v1/whoami", nil)
	for name, path := range map[string]string{"Postgres": "/v1/documents", "Redis": "/v1/whoami", "S3": "/v1/files"} {
		who := token
		if name == "Redis" {
			who = limited
		}
		lines[name].set("stalled")
		s.problem(name+" stalls", 503, who, "GET", path, nil, "")
		lines[name].set("")
		s.comesBack(who, path)
	}
}

// TestNoConnectionLeft: a request that gets no connection to Postgres within its patience is refused, and the next one is served.
func TestNoConnectionLeft(t *testing.T) {
	s := start(t, "row", impatient)
	_, token := s.admit("acme")
	pool := s.parts.Service.App
	var taken []*pgxpool.Conn
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, conn)
	}
	s.problem("no connection is left", 503, token, "GET", "/v1/documents", nil, "")
	for _, conn := range taken {
		conn.Release()
	}
	s.want(200, token, "GET", "/v1/documents", nil)
}

// comesBack asks until the service answers as before. Connections that died with the engine may cost a few requests.
func (s *service) comesBack(token, path string) {
	s.t.Helper()
	s.until("the engine is back", func() bool {
		status, text := s.do(token, "GET", path, nil)
		if status != 200 && status != 503 {
			s.t.Fatalf("when the engine is back, GET %s answers %d %s", path, status, text)
		}
		return status == 200
	})
}

// admitTo makes a tenant of a tier and returns the token of its admin.
func (s *service) admitTo(slug, tier string) (token string) {
	s.t.Helper()
	made := s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants", map[string]any{
		"slug": slug, "tier": tier, "users": []any{map[string]string{"email": "a@example.com", "role": "admin"}},
	})
	user := made["users"].([]any)[0].(map[string]any)
	login := s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": slug, "email": "a@example.com", "password": user["password"]})
	return login["token"].(string)
}

// asText is a body as it is sent.
func asText(body any) string {
	switch b := body.(type) {
	case nil:
		return ""
	case string:
		return b
	default:
		data, err := json.Marshal(b)
		if err != nil {
			panic(err) // maps of texts always marshal
		}
		return string(data)
	}
}
