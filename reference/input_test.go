package reference_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

// TestStrictJSON: what two readers could understand differently is refused, and nothing of it is stored.
func TestStrictJSON(t *testing.T) {
	s := start(t, "row")
	_, token := s.admit("acme")
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	for _, tc := range []struct {
		name, body string
		status     int
	}{
		{"empty", ``, 400},
		{"null", `null`, 400},
		{"an array", `[]`, 400},
		{"truncated", `{"slug":"a","title":"b","body":"c"`, 400},
		{"twice", `{"slug":"a","slug":"b","title":"b","body":"c"}`, 400},
		{"twice, once escaped", `{"slug":"a","sl\u0075g":"b","title":"b","body":"c"}`, 400},
		{"twice, in another case", `{"slug":"a","SLUG":"b","title":"b","body":"c"}`, 400},
		{"in another case", `{"Slug":"a","title":"b","body":"c"}`, 400},
		{"invalid UTF-8", "{\"slug\":\"a\",\"title\":\"\xff\",\"body\":\"c\"}", 400},
		{"half of a pair", `{"slug":"a","title":"\ud800","body":"c"}`, 400},
		{"NUL", `{"slug":"a","title":"\u0000","body":"c"}`, 400},
		{"deep", `{"slug":` + deep + `}`, 400},
		{"deep and unknown", `{"x":` + deep + `}`, 400},
		{"a number for a text", `{"slug":1,"title":"b","body":"c"}`, 400},
		{"null for a text", `{"slug":null,"title":"b","body":"c"}`, 400},
		{"two objects", `{"slug":"a","title":"b","body":"c"}{}`, 400},
		{"a byte order mark", "\ufeff" + `{"slug":"a","title":"b","body":"c"}`, 400},
		{"oversize", `{"slug":"a","title":"b","body":"` + strings.Repeat("c", 1<<20) + `"}`, 413},
		{"oversize blank", `{"slug":"a","title":"b","body":"c"}` + strings.Repeat(" ", 1<<20), 413},
	} {
		for _, key := range []string{"", "key"} { // a body is read elsewhere when it has an idempotency key
			header := http.Header{"Content-Type": {"application/json"}}
			if key != "" {
				header.Set("Idempotency-Key", key)
			}
			s.problem(tc.name, tc.status, token, "POST", "/v1/documents", header, tc.body)
		}
	}
	for _, amount := range []string{`1.5`, `1e2`, `1e400`, `-1`, `9223372036854775808`, `"1"`, `null`, `true`, `100000000000001`} {
		s.problem("amount "+amount, 400, token, "POST", "/v1/invoices", http.Header{"Content-Type": {"application/json"}},
			`{"customer":"a","amount_cents":`+amount+`}`)
	}
	for path, members := range map[string]string{"/v1/documents": "items", "/v1/invoices": "items", "/v1/audit": "items"} {
		if left := s.want(200, token, "GET", path, nil)[members].([]any); len(left) != 0 {
			t.Errorf("%s holds %v", path, left)
		}
	}
}

func TestContentTypes(t *testing.T) {
	s := start(t, "row")
	_, token := s.admit("acme")
	for i, tc := range []struct {
		types  []string
		status int
	}{
		{[]string{"application/json"}, 201},
		{[]string{"Application/JSON; charset=UTF-8"}, 201},
		{nil, 415},
		{[]string{""}, 415},
		{[]string{"text/plain"}, 415},
		{[]string{"application/x-www-form-urlencoded"}, 415},
		{[]string{"application/json; charset=utf-16"}, 415},
		{[]string{"application/merge-patch+json"}, 415},
		{[]string{"application/json", "application/json"}, 415},
		{[]string{"application/json, text/plain"}, 415},
		{[]string{"application/json; ="}, 415},
	} {
		status, _, text := s.raw(token, "POST", "/v1/categories", http.Header{"Content-Type": tc.types}, fmt.Sprintf(`{"name":"n%d"}`, i))
		if status != tc.status {
			t.Errorf("the type %q answers %d %s", tc.types, status, text)
		}
	}
}

// TestNoRoute: a path or method without a route is a problem like any other, and no path is taken for another one.
func TestNoRoute(t *testing.T) {
	s := start(t, "row")
	_, token := s.admit("acme")
	for _, path := range []string{
		"/", "/v1", "/v1/nothing", "/v1/documents/", "//v1/documents", "/v1//documents", "/v1/./documents", "/v1/x/../documents", "/..",
		"/v1/files/a/../b", "/v1/files/a//b", "/v1/preferences/./a", "/v1/%2e%2e/v1/documents", "/v1%2fdocuments", "/%00", "/v1/documents/%2e%2e/comments/x",
		"/admin", "/v1/../admin/tenants",
	} {
		s.problem(path, 404, token, "GET", path, nil, "")
	}
	for at, allow := range map[string]string{
		"PATCH /v1/documents": "GET, HEAD, POST", "POST /v1/whoami": "GET, HEAD", "PUT /v1/files": "GET, HEAD", "TRACE /v1/login": "POST",
		"GET /v1/documents/x/clone": "POST", "GET /admin/tenants": "POST", "BREW /v1/files/a%2fb": "DELETE, GET, HEAD, PUT",
	} {
		method, path, _ := strings.Cut(at, " ")
		if header := s.problem(at, 405, "", method, path, nil, ""); header.Get("Allow") != allow {
			t.Errorf("%s allows %q, want %q", at, header.Get("Allow"), allow)
		}
	}
	for _, name := range []string{"a%2fb", "%2e%2e", "..%2f..%2fx", "a%2f%2fb"} { // a name is data
		s.want(200, token, "PUT", "/v1/preferences/"+name, map[string]string{"value": name})
		if got := s.want(200, token, "GET", "/v1/preferences/"+name, nil); got["value"] != name {
			t.Errorf("the preference %s is %v", name, got)
		}
	}
}

// TestBrokenUpload: of a file that breaks off nothing is kept, and the one before it stays.
func TestBrokenUpload(t *testing.T) {
	s := start(t, "row")
	_, token := s.admit("acme")
	s.want(204, token, "PUT", "/v1/files/old", "before")
	for _, name := range []string{"old", "new"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(conn, "PUT /v1/files/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100000\r\n\r\nonly this", name, token)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != 400 || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("it answers %d %s", answer.StatusCode, answer.Header)
		}
		_ = answer.Body.Close()
		_ = conn.Close()
	}
	if status, text := s.do(token, "GET", "/v1/files/old", nil); status != 200 || text != "before" {
		t.Errorf("the file before it is %d %q", status, text)
	}
	s.want(404, token, "GET", "/v1/files/new", nil)
	status, _, text := s.raw(token, "PUT", "/v1/files/x", nil, io.MultiReader(strings.NewReader("of unknown length")))
	if status != 411 {
		t.Errorf("a file of unknown length answers %d %s", status, text)
	}
}

// raw sends a request as it is given.
func (s *service) raw(token, method, path string, header http.Header, body any) (int, http.Header, string) {
	s.t.Helper()
	status, answered, text, err := s.tryRaw(token, method, path, header, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return status, answered, text
}

// tryRaw is raw for a goroutine, which may not end a test.
func (s *service) tryRaw(token, method, path string, header http.Header, body any) (int, http.Header, string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), hangs)
	defer cancel()
	reader, ok := body.(io.Reader)
	if !ok {
		reader = strings.NewReader(body.(string))
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url, reader)
	if err != nil {
		return 0, nil, "", err
	}
	r.URL.Opaque = "//" + r.URL.Host + path
	if header != nil {
		r.Header = header.Clone()
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, string(data), err
}

// problem sends a request that must be answered with a problem of a status, and returns the headers of the answer.
func (s *service) problem(name string, status int, token, method, path string, header http.Header, body any) http.Header {
	s.t.Helper()
	got, answered, text := s.raw(token, method, path, header, body)
	var p struct {
		Title  string
		Status int
	}
	err := json.Unmarshal([]byte(text), &p)
	if got != status || answered.Get("Content-Type") != "application/problem+json" || err != nil || p.Status != status || p.Title == "" {
		s.t.Errorf("%s: %s %s answers %d %s %s, want a problem %d", name, method, path, got, answered.Get("Content-Type"), text, status)
	}
	return answered
}

// TestHangUp: a client that hangs up behind a change does not escape the trail.
func TestHangUp(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	s := start(t, "row", func(p *reference.Parts) { p.API.Categories = hangingUp{p.API.Categories, hangUp} })
	_, token := s.admit("acme")
	r, err := http.NewRequestWithContext(ctx, "POST", s.url+"/v1/categories", strings.NewReader(`{"name":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	if answer, err := http.DefaultTransport.RoundTrip(r); err == nil {
		_ = answer.Body.Close()
		t.Fatalf("it answers %d", answer.StatusCode)
	}
	s.until("the change has an entry", func() bool {
		return len(s.want(200, token, "GET", "/v1/audit", nil)["items"].([]any)) == 1
	})
}

type hangingUp struct {
	store.Categories
	hangUp func()
}

func (h hangingUp) Create(ctx context.Context, name string) (store.Category, error) {
	out, err := h.Categories.Create(ctx, name)
	h.hangUp()
	<-ctx.Done()
	return out, err
}
