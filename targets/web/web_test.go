package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/specimen"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/web"
)

const head = "version: 1\nname: x\nbase_url: http://127.0.0.1:1\n"

const resource = `resources:
  - name: notes
    id: {pointer: /id}
    fields: [{name: text}]
    operations: [{verb: read, method: GET, path: "/notes/{id}"}]
`

const tenants = `tenants:
  - {id: a, name: a, principals: [{name: alice, credential: {bearer: token-a}}]}
  - {id: b, name: b, principals: [{name: alice, credential: {bearer: token-b}}]}
`

// TestMistakes: every mistake in a target file is one sentence that says where and what.
func TestMistakes(t *testing.T) {
	env := func(name string) (string, bool) { return "value", name == "SET" }
	for text, want := range map[string]string{
		"":                   "it is empty",
		"version: [":         "it is no YAML",
		head + "---\nx: 1\n": "more than one YAML document",
		head + "naem: y\n":   `line 4: the key "naem" is unknown`,
		head + "name: z\n":   "already defined",
		head + "key_set: ${UNSET}\n" + resource + tenants:                           "line 4: ${UNSET} is not set",
		strings.Replace(head, "version: 1", "version: 2", 1) + resource + tenants:   "reads version 1",
		strings.Replace(head, "version: 1", "version: one", 1) + resource + tenants: "line 1: version cannot be a string",
		head + tenants:  "describes no resource",
		head + resource: "at least two tenants",
		head + resource + strings.Split(tenants, "\n  - {id: b")[0] + "\n":                       "at least two tenants",
		head + resource + strings.Replace(tenants, "bearer: token-a", "", 1):                     "one credential",
		head + strings.Replace(resource, "{id}", "{idd}", 1) + tenants:                           "{idd}",
		head + strings.Replace(resource, "verb: read", "vreb: read", 1) + tenants:                `line 8: the key "vreb" is unknown`,
		head + strings.Replace(resource, "verb: read", "verb: raed", 1) + tenants:                `the verb "raed" is unknown; did you mean read?`,
		head + strings.Replace(resource, "verb: read", "verb: delte", 1) + tenants:               "did you mean delete?",
		head + strings.Replace(resource, "verb: read", "verb: fetch", 1) + tenants:               "begins with x-",
		head + strings.Replace(resource, "name: text", "name: text, type: bogus", 1) + tenants:   `field text: the type "bogus" is unknown`,
		head + strings.Replace(resource, "name: text", "name: text, type: integr", 1) + tenants:  "did you mean integer?",
		head + strings.Replace(resource, `"}]`, `", body: {kind: jsn, value: x}}]`, 1) + tenants: `the kind of its body "jsn" is unknown; did you mean json?`,
		head + strings.Replace(resource, `"}]`, `", body: {value: x}}]`, 1) + tenants:            "its body needs a kind",
		head + strings.Replace(resource, "GET", "get", 1) + tenants:                              "write GET",
		head + "selectors: [{in: haeder, name: X-Tenant}]\n" + resource + tenants:                "did you mean header?",
		head + "selectors: [{in: header, name: X-T, attribute: nam}]\n" + resource + tenants:     "did you mean name?",
		head + resource + strings.Replace(tenants, "id: b", "id: a", 1):                          `two tenants have the id "a"`,
		head + resource + strings.Replace(tenants, "token-b", "token-a", 1):                      "sign in with the same credential",
		strings.Replace(head, "http://", "ftp://", 1) + resource + tenants:                       "base_url",
		head + resource + tenants + "delete: [{method: DELETE, path: /x}]\n":                     "never deleted",
		head + resource + tenants + "provision: {id: x, name: x, principals: [], steps: []}\n":   "not both",
	} {
		_, err := web.Parse([]byte(text), env)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q\n  says %v\n  want %q", text, err, want)
		}
	}
	if _, err := web.Load("no-such-file.yaml", env); !errors.Is(err, web.ErrFile) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	own := strings.Replace(strings.Replace(resource, "name: text", "name: text, type: text", 1), "verb: read", "verb: x-download", 1)
	if _, err := web.Parse([]byte(head+own+tenants), env); err != nil {
		t.Errorf("a verb of one's own, and the type text: %v", err)
	}
	d, err := web.Parse([]byte(strings.Replace(head, "name: x", "name: ${SET}", 1)+resource+tenants), env)
	if err != nil || d.Name != "value" {
		t.Errorf("a good file: %+v, %v", d, err)
	}
}

// TestBorrowedAccounts: tenants that exist are attacked in one lane, scenarios that would end them are skipped, and what
// was created is removed.
func TestBorrowedAccounts(t *testing.T) {
	for _, broken := range []bool{false, true} {
		t.Run(fmt.Sprint("broken=", broken), func(t *testing.T) {
			s := specimen.Envelope(broken)
			server := httptest.NewServer(s.Handler)
			defer server.Close()
			text := "version: 1\nname: envelope\nbase_url: " + server.URL + "\n" + `
resources:
  - name: invoices
    id: {pointer: /data/id}
    fields: [{name: customer}, {name: cents, type: integer}]
    operations:
      - {verb: create, method: POST, path: /rpc/invoices.create, body: {kind: json, value: {customer: "{customer}", cents: "{cents}"}}, success: &ok {pointer: /status, equals: ok}}
      - {verb: read, method: POST, path: /rpc/invoices.read, body: {kind: json, value: &id {id: "{id}"}}, success: *ok}
      - {verb: list, method: POST, path: /rpc/invoices.list, body: {kind: json, value: {}}, success: *ok}
      - {verb: delete, method: POST, path: /rpc/invoices.delete, body: {kind: json, value: *id}, success: *ok}
tenants:
`
			var tokens []string
			for _, name := range []string{"acme", "globex"} {
				tenant, err := s.Provision(t.Context(), nil, "", name)
				if err != nil {
					t.Fatal(err)
				}
				r := httptest.NewRequest("GET", "/", nil)
				if err := tenant.Principals[0].Credential.Apply(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				tokens = append(tokens, token)
				text += fmt.Sprintf("  - {id: %s, name: %s, principals: [{name: alice, credential: {bearer: %s}}]}\n", tenant.ID, name, token)
			}
			d, err := web.Parse([]byte(text), os.LookupEnv)
			if err != nil {
				t.Fatal(err)
			}
			target, err := web.Open(d)
			if err != nil {
				t.Fatal(err)
			}
			report, err := harness.Run(t.Context(), harness.Config{Target: target, Scenarios: scenarios.All(), Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			want := harness.ExitHeld
			if broken {
				want = harness.ExitBreached
			}
			if report.ExitCode(false) != want {
				t.Errorf("exit code %d: %+v", report.ExitCode(false), report.Results)
			}
			for _, token := range tokens {
				if left := list(t.Context(), t, server.URL, token); !strings.Contains(left, `"data":[]`) {
					t.Errorf("the run left %s", left)
				}
			}
		})
	}
}

func list(ctx context.Context, t *testing.T, url, token string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "POST", url+"/rpc/invoices.list", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var b strings.Builder
	if err := answer.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
