package reference_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/openapi"
)

// A broken body is an example of the document that was spoilt, and what it is refused with; 0: with a refusal of whatever kind.
type broken struct {
	name, body string
	types      []string
	status     int
}

var asJSON = []string{"application/json"}

// brokenBodies are made of a good one.
func brokenBodies(t *testing.T, example string) []broken {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(example), &members); err != nil || len(members) == 0 {
		t.Fatalf("the example %s: %v", example, err)
	}
	names := slices.Sorted(maps.Keys(members))
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	open := strings.TrimSuffix(example, "}")
	bodies := []broken{
		{"oversize", example + strings.Repeat(" ", 1<<20), asJSON, 413},
		{"truncated", open, asJSON, 400},
		{"empty", "", asJSON, 400},
		{"null", "null", asJSON, 400},
		{"an array", "[" + example + "]", asJSON, 400},
		{"a text", `"x"`, asJSON, 400},
		{"two objects", example + example, asJSON, 400},
		{"an unknown member", open + `,"tenant_id":"x"}`, asJSON, 400},
		{"a deep unknown member", open + `,"x":` + deep + `}`, asJSON, 400},
		{"invalid UTF-8", open + ",\"x\":\"\xff\"}", asJSON, 400},
		{"an escaped NUL as a name", open + `,"\u0000":1}`, asJSON, 400},
		{"a byte order mark", "\ufeff" + example, asJSON, 400},
		{"without a type", example, nil, 415},
		{"as a form", example, []string{"application/x-www-form-urlencoded"}, 415},
		{"as text", example, []string{"text/plain"}, 415},
		{"as UTF-16", example, []string{"application/json; charset=utf-16"}, 415},
		{"of two types", example, []string{"application/json", "application/json"}, 415},
	}
	for _, name := range names {
		with := func(value string) string {
			rest := maps.Clone(members)
			delete(rest, name)
			return strings.TrimSuffix(encoded(t, rest), "}") + map[bool]string{true: ","}[len(rest) > 0] + `"` + name + `":` + value + "}"
		}
		bodies = append(bodies,
			broken{name + " twice", open + `,"` + name + `":` + encoded(t, members[name]) + "}", asJSON, 400},
			broken{name + " in another case", open + `,"` + strings.ToUpper(name) + `":null}`, asJSON, 400},
			broken{name + " is an object", with(`{"x":1}`), asJSON, 400},
			broken{name + " is deep", with(deep), asJSON, 400},
			broken{name + " is a boolean", with("true"), asJSON, 400},
		)
		if _, ok := members[name].(string); ok {
			bodies = append(bodies,
				broken{name + " holds NUL", with(`"a\u0000b"`), asJSON, 0},
				broken{name + " is invalid UTF-8", with("\"a\xff\""), asJSON, 400},
				broken{name + " is half of a pair", with(`"\ud800"`), asJSON, 400},
				broken{name + " is a number", with("1"), asJSON, 400},
				broken{name + " is long", with(`"` + strings.Repeat("a", 500_000) + `"`), asJSON, 0})
		}
	}
	return bodies
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestBrokenBodies: whatever route takes a body, operators' included, refuses one that is broken with a problem, and nothing is written.
func TestBrokenBodies(t *testing.T) {
	s := start(t, "row")
	tried := 0
	for i, route := range api.Routes() {
		op := api.Document().Operations[route.Pattern]
		if op.Takes == nil {
			continue
		}
		tried++
		t.Run(route.Pattern, func(t *testing.T) {
			s := &service{t, s.parts, s.handler, s.url}
			caller := newCaller(s, fmt.Sprint("acme-", i), route)
			method, _ := openapi.Path(route.Pattern)
			path := caller.request(route.Pattern)
			before := s.everything()
			for _, b := range brokenBodies(t, caller.fill(asText(op.Example))) {
				for _, key := range []string{"", "key"} { // a body is read elsewhere when it has an idempotency key
					header := http.Header{"Content-Type": b.types}
					if key != "" {
						header.Set("Idempotency-Key", key)
					}
					s.refused(b.name, b.status, caller.token, strings.ToUpper(method), path, header, b.body)
					if !op.Once {
						break
					}
				}
			}
			if after := s.everything(); after != before {
				t.Errorf("the tables were %s\nand are %s", before, after)
			}
		})
	}
	if tried < 15 {
		t.Errorf("only %d routes take a body", tried)
	}
}

// refused sends a request that must be refused with a problem of a status; 0: of whatever status.
func (s *service) refused(name string, want int, token, method, path string, header http.Header, body string) {
	s.t.Helper()
	status, answered, text := s.raw(token, method, path, header, body)
	var p struct{ Status int }
	err := json.Unmarshal([]byte(text), &p)
	if want != 0 && status != want || status < 400 || status >= 500 || answered.Get("Content-Type") != "application/problem+json" || err != nil || p.Status != status {
		s.t.Errorf("%s: %s %.100s answers %d %s %.300s, want a problem %d", name, method, path, status, answered.Get("Content-Type"), text, want)
	}
}

// TestPathTricks: a variable in a path is data. What cannot be stored names nothing; what climbs names what it says, and nothing else.
func TestPathTricks(t *testing.T) {
	s := start(t, "row")
	_, a := s.admit("acme")
	_, b := s.admit("globex")
	s.want(204, b, "PUT", "/v1/files/x", "of globex")
	s.want(200, b, "PUT", "/v1/preferences/x", map[string]string{"value": "of globex"})
	for _, route := range api.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		variables := regexpVariables.FindAllString(path, -1)
		if len(variables) == 0 {
			continue
		}
		token := a
		if route.Guard == api.Operator {
			token = s.parts.API.OperatorKey
		}
		op := api.Document().Operations[route.Pattern]
		body := ""
		header := http.Header{}
		if op.Takes != nil {
			body, header = asText(op.Example), http.Header{"Content-Type": asJSON}
		}
		for _, trick := range []string{
			"%00", "a%00", "%ff", "%c0%af", "%2e%2e", "..%2f..%2fx", "..%5cx", "a%2f..%2f..%2fx", "%252e%252e%252fx", "%20", "%0d%0aX-A:%20b", "'%20or%20''='",
			"%7B%7D", "*", strings.Repeat("a", 5000), strings.Repeat("%C3%BC", 2000),
		} {
			at := path
			for _, v := range variables {
				at = strings.Replace(at, v, trick, 1)
			}
			status, answered, text := s.raw(token, method, at, header, body)
			named := strings.HasSuffix(variables[0], "...}") // a name that the client chooses may be a strange one
			problem := status >= 400 && status < 500 && answered.Get("Content-Type") == "application/problem+json"
			if !problem && (!named || status >= 300) || strings.Contains(text, "globex") || answered.Get("X-A") != "" {
				t.Errorf("%s %.100s answers %d %s %.300s", method, at, status, answered.Get("Content-Type"), text)
			}
		}
	}
	s.want(200, b, "GET", "/v1/preferences/x", nil)
	if status, text := s.do(b, "GET", "/v1/files/x", nil); status != 200 || text != "of globex" {
		t.Errorf("the neighbour's file is %d %s", status, text)
	}
}

// TestHeaders: large headers are none of the handlers' business: what they can hold is read and refused like any other token, and
// what is beyond that is closed by the server with a line of text, as the document says.
func TestHeaders(t *testing.T) {
	s := start(t, "row")
	_, token := s.admit("acme")
	s.problem("a large token", 401, strings.Repeat("x", 500_000), "GET", "/v1/whoami", nil, "")
	large := http.Header{"X-Large": {strings.Repeat("x", 500_000)}, "If-None-Match": {strings.Repeat(`"x",`, 50_000)}}
	s.problem("a large condition", 404, token, "GET", "/v1/documents/x", large, "")
	s.problem("a large key", 400, token, "POST", "/v1/categories",
		http.Header{"Content-Type": asJSON, "Idempotency-Key": {strings.Repeat("x", 500_000)}}, `{"name":"x"}`)

	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, "GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\nX-Large: "+strings.Repeat("x", 2<<20)+"\r\n\r\n")
		sent <- err // the server may close before it has read all
	}()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body) // it may be cut off
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge || strings.Contains(string(text), "acme") || !answer.Close {
		t.Errorf("two megabytes of headers are answered %d %s", answer.StatusCode, text)
	}
	_ = conn.Close()
	<-sent
	s.want(200, token, "GET", "/v1/whoami", nil)
}
