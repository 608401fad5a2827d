package reference_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/partywall/partywall/reference/api"
)

// FuzzRouter sends whatever a client can send, as a tenant, as the operator and as nobody. It is never the service's fault, every
// refusal is a problem that says its status, and a neighbour's data is neither shown nor changed.
func FuzzRouter(f *testing.F) {
	s := start(f, "row")
	ctx := f.Context() // a fuzz target may not ask f for it
	const secret = "7c1f-only-the-victim-has-this"
	_, attacker := s.admit("attacker")
	_, victim := s.admit("victim")
	values := map[string]string{"victim": plantAll(s, victim, secret), "own": plantAll(s, attacker, "own")}
	tokens := []string{"", attacker, s.parts.API.OperatorKey}

	serve := func(token, text string) *httptest.ResponseRecorder {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return nil // net/http answers such a request itself
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r.WithContext(ctx))
		return w
	}
	look := func() string {
		var all []string
		for _, path := range []string{"/v1/documents", "/v1/trash", "/v1/projects", "/v1/invoices", "/v1/preferences", "/v1/files", "/v1/audit"} {
			all = append(all, serve(victim, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n").Body.String())
		}
		return strings.Join(all, "\n")
	}
	before := look()
	if strings.Count(before, secret) < 5 {
		f.Fatalf("the victim sees %s", before)
	}

	for _, seed := range seeds() {
		for who := range tokens {
			f.Add(byte(who), seed.method, seed.path, "Content-Type", "application/json", []byte(seed.body))
		}
	}
	for _, odd := range []string{"/v1/files/%2e%2e%2fx", "/v1//x", "/v1/documents?cursor=x&limit=-1", "/v1/documents?q=%00", "*", "x:1", "/%ff", "//"} {
		f.Add(byte(1), "GET", odd, "If-None-Match", `"x", *`, []byte(nil))
	}
	f.Add(byte(1), "POST", "/v1/documents", "Idempotency-Key", "k", []byte(`{"slug":"\ud800","slug":"b"}`))
	f.Add(byte(1), "PUT", "/v1/files/x", "Transfer-Encoding", "chunked", []byte("5\r\nhello\r\n0\r\n\r\n"))
	f.Add(byte(1), "PUT", "/v1/files/x", "Content-Length", "1000", []byte("short"))

	f.Fuzz(func(t *testing.T, who byte, method, target, name, value string, body []byte) {
		var head strings.Builder
		fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: x\r\n", method, fill(target, values))
		if name != "" {
			fmt.Fprintf(&head, "%s: %s\r\n", name, fill(value, values))
		}
		if !strings.EqualFold(name, "Content-Type") {
			head.WriteString("Content-Type: application/json\r\n")
		}
		text := fill(string(body), values)
		if !strings.EqualFold(name, "Content-Length") && !strings.EqualFold(name, "Transfer-Encoding") {
			fmt.Fprintf(&head, "Content-Length: %d\r\n", len(text))
		}
		w := serve(tokens[int(who)%len(tokens)], head.String()+"\r\n"+text)
		if w == nil {
			return
		}
		kind, answer := w.Header().Get("Content-Type"), w.Body.Bytes()
		switch {
		case w.Code >= 500 || w.Code >= 300 && w.Code < 400 && w.Code != 304 || w.Code < 200:
			t.Errorf("%d %s", w.Code, answer)
		case w.Code >= 400:
			var p struct{ Status int }
			if err := json.Unmarshal(answer, &p); err != nil || kind != "application/problem+json" || p.Status != w.Code {
				t.Errorf("%d %s %s", w.Code, kind, answer)
			}
		}
		if bytes.Contains(answer, []byte(secret)) {
			t.Errorf("it shows the victim's: %d %s", w.Code, answer)
		}
		if after := look(); after != before {
			t.Errorf("the victim's was %s\nand is %s", before, after)
		}
	})
}

// plantAll makes an object of every kind that holds a text, and returns the id of a document.
func plantAll(s *service, token, text string) string {
	doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": text, "title": text, "body": text})["id"].(string)
	for _, it := range items {
		it.plant(s, token, text)
	}
	return doc
}

// seeds are requests of every route with the documented example, with the own and with the victim's document as the id.
func seeds() (all []seed) {
	variable := regexp.MustCompile(`\{[^}]+\}`)
	document := api.Document()
	for _, route := range api.Routes() {
		for _, id := range []string{"{own}", "{victim}"} {
			method, path, _ := strings.Cut(variable.ReplaceAllString(route.Pattern, id), " ")
			body := strings.ReplaceAll(asText(document.Operations[route.Pattern].Example), api.ExampleID, id)
			all = append(all, seed{method, path, strings.ReplaceAll(body, api.ExampleParent, id)})
		}
	}
	return all
}

type seed struct{ method, path, body string }
