package reference_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/openapi"
)

var update = flag.Bool("update", false, "write the OpenAPI document anew")

// TestDocumentIsCommitted: the document in the repository is the one that is served, and it speaks of every route and of no other.
func TestDocumentIsCommitted(t *testing.T) {
	d := api.Document()
	for _, complaint := range d.Undescribed() {
		t.Error(complaint)
	}
	got, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const committed = "api/openapi.json"
	if *update {
		if err := os.WriteFile(committed, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(committed); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the service says of itself, %v; run go generate ./reference/api and look at the difference", committed, err)
	}
}

// contract is the document as a client reads it.
type contract struct {
	t        testing.TB
	paths    map[string]map[string]operation
	document any
	compiler *jsonschema.Compiler
}

type operation struct {
	Security   []map[string][]string
	Parameters []struct {
		Ref string `json:"$ref"`
	}
	RequestBody struct {
		Content map[string]struct {
			Schema  map[string]any
			Example any
		}
	}
	Responses map[string]any
}

// readContract takes the document from a running service.
func readContract(s *service) *contract {
	status, text := s.do("", "GET", "/openapi.json", nil)
	var read struct {
		Paths map[string]map[string]operation
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err == nil {
		err = json.Unmarshal([]byte(text), &read)
	}
	c := &contract{t: s.t, paths: read.Paths, document: document, compiler: jsonschema.NewCompiler()}
	c.compiler.AssertFormat()
	if err == nil {
		err = c.compiler.AddResource("openapi.json", document)
	}
	if err != nil || status != 200 {
		s.t.Fatalf("/openapi.json answers %d, %v", status, err)
	}
	return c
}

var escaped = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")

// answer checks an answer against what the document says of the operation.
func (c *contract) answer(method, path string, status int, header http.Header, body string) {
	c.t.Helper()
	responses := c.paths[path][method].Responses
	code := strconv.Itoa(status)
	at := "#/paths/" + escaped.Replace(path) + "/" + method + "/responses/" + code
	said, ok := responses[code].(map[string]any)
	if !ok {
		c.t.Errorf("%s %s answers %d, which the document does not mention: %s", method, path, status, body)
		return
	}
	if ref, ok := said["$ref"].(string); ok {
		at = ref
		said = map[string]any{"content": map[string]any{"application/problem+json": nil}}
	}
	kinds, _ := said["content"].(map[string]any)
	kind := header.Get("Content-Type")
	if _, ok := kinds[kind]; !ok && (len(kinds) > 0 || body != "") {
		c.t.Errorf("%s %s answers %d with the type %q, want one of %q", method, path, status, kind, slices.Collect(maps.Keys(kinds)))
		return
	}
	if !strings.HasSuffix(kind, "json") {
		return
	}
	schema, err := c.compiler.Compile("openapi.json" + at + "/content/" + escaped.Replace(kind) + "/schema")
	if err != nil {
		c.t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		c.t.Errorf("%s %s answers %d %s, which is not what the document says: %v", method, path, status, body, err)
	}
}

// TestDocument: each operation takes the example that the document gives, refuses what the document rules out, and answers in the
// form that it promises.
func TestDocument(t *testing.T) {
	s := start(t, "row", func(p *reference.Parts) { p.API.StreamFor = 50 * time.Millisecond })
	c := readContract(s)
	for i, route := range api.Routes() {
		t.Run(route.Pattern, func(t *testing.T) {
			s := &service{t, s.parts, s.handler, s.url}
			c := &contract{t, c.paths, c.document, c.compiler}
			method, path := openapi.Path(route.Pattern)
			op, ok := c.paths[path][method]
			if !ok {
				t.Fatal("it is not documented: see TestDocumentIsCommitted")
			}
			send := func(token, at string, header http.Header, body string) (int, http.Header) {
				status, answered, text := s.raw(token, strings.ToUpper(method), at, header, body)
				if status == http.StatusSwitchingProtocols {
					text = "" // what follows is another protocol
				}
				c.answer(method, path, status, answered, text)
				return status, answered
			}
			slug := "acme-" + strconv.Itoa(i)
			caller := newCaller(s, slug, route)
			at, example := caller.request(route.Pattern), ""
			header := http.Header{}
			if kinds := op.RequestBody.Content; len(kinds) > 0 {
				kind := slices.Collect(maps.Keys(kinds))[0]
				header.Set("Content-Type", kind)
				if example = "any bytes"; kind == "application/json" {
					example = caller.fill(asText(kinds[kind].Example))
				}
			}
			if op.Responses["101"] != nil {
				header = http.Header{
					"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
				}
				at += "?topic=documents"
			}
			if want := map[api.Guard]string{api.Chain: "tenant", api.Operator: "operator"}[route.Guard]; want != "" {
				if len(op.Security) != 1 || op.Security[0][want] == nil {
					t.Errorf("its guard is %s, and the document asks for %v", route.Guard, op.Security)
				}
				if status, _ := send("", at, header, example); status != 401 {
					t.Errorf("without a token it answers %d", status)
				}
			} else if len(op.Security) != 0 {
				t.Errorf("it is public, and the document asks for %v", op.Security)
			}
			c.refusals(op, example, func(wrong string) {
				if status, _ := send(caller.token, at, header, wrong); status < 400 || status >= 500 {
					t.Errorf("the document rules out %.300s, and it is answered with %d", wrong, status)
				}
			})
			for _, p := range op.Parameters {
				if strings.HasSuffix(p.Ref, "/limit") {
					for value, want := range map[string]int{"0": 400, "201": 400, "x": 400, "1": 200, "200": 200} {
						if status, _ := send(caller.token, at+"?limit="+value, header, ""); status != want {
							t.Errorf("with the limit %s it answers %d, want %d", value, status, want)
						}
					}
				}
				if strings.HasSuffix(p.Ref, "/Idempotency-Key") {
					header.Set("Idempotency-Key", "k")
				}
			}
			status, _ := send(caller.token, at, header, example)
			if status >= 300 {
				t.Errorf("%s %s with the documented example %s answers %d", method, at, example, status)
			}
			if header.Get("Idempotency-Key") != "" {
				if _, answered := send(caller.token, at, header, example); answered.Get("Idempotent-Replayed") != "true" {
					t.Error("it is said to be idempotent, and a second request is not replayed")
				}
				header.Del("Idempotency-Key")
			}
			if route.Guard != api.Chain {
				return
			}
			c.extremes(op, example, func(most string) {
				if status, _ := send(caller.token, at, header, most); status >= 300 && status != 409 {
					t.Errorf("the document allows %.300s, and it is answered with %d", most, status)
				}
			})
			if strings.Contains(path, "{id}") {
				send(caller.token, strings.Replace(at, caller.values["id"], "nonsense", 1), header, example)
			}
		})
	}
}

// refusals are bodies that differ from the example in one thing that the document rules out.
func (c *contract) refusals(op operation, example string, send func(string)) {
	schema := op.RequestBody.Content["application/json"].Schema
	if schema == nil {
		return
	}
	change := func(name string, value any) {
		var body map[string]any
		if err := json.Unmarshal([]byte(example), &body); err != nil {
			c.t.Fatalf("the example %s: %v", example, err)
		}
		if value == nil {
			delete(body, name)
		} else {
			body[name] = value
		}
		send(asText(body))
	}
	change("unknown", "x")
	send("[]")
	send("")
	required, _ := schema["required"].([]any)
	for _, name := range required {
		change(name.(string), nil)
	}
	for name, p := range schema["properties"].(map[string]any) {
		change(name, map[string]any{"x": 1})
		for _, value := range beyond(p.(map[string]any)) {
			change(name, value)
		}
	}
}

// extremes are bodies that go as far as the document allows. A second one may meet the first (409).
func (c *contract) extremes(op operation, example string, send func(string)) {
	schema := op.RequestBody.Content["application/json"].Schema
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		for _, value := range edges(p.(map[string]any)) {
			var body map[string]any
			if err := json.Unmarshal([]byte(example), &body); err != nil {
				c.t.Fatal(err)
			}
			if strings.HasSuffix(name, "_id") {
				continue // it must name something
			}
			body[name] = value
			send(asText(body))
		}
	}
}

func beyond(p map[string]any) (values []any) {
	if most, ok := p["maxLength"].(float64); ok {
		values = append(values, strings.Repeat("a", int(most)+1))
	}
	if least, ok := p["minLength"].(float64); ok && least > 0 {
		values = append(values, "")
	}
	if most, ok := p["maximum"].(float64); ok {
		values = append(values, most+1, 1.5, "1")
	}
	if least, ok := p["minimum"].(float64); ok {
		values = append(values, least-1)
	}
	if most, ok := p["maxItems"].(float64); ok {
		values = append(values, make([]string, int(most)+1), []string{})
	}
	if p["pattern"] != nil || p["enum"] != nil {
		values = append(values, "No Such Thing")
	}
	return values
}

func edges(p map[string]any) (values []any) {
	if most, ok := p["maxLength"].(float64); ok {
		before := map[any]string{"@": "@", "^https?://": "https://example.com/"}[p["pattern"]]
		values = append(values, before+strings.Repeat("a", int(most)-len(before)))
	}
	if most, ok := p["maximum"].(float64); ok {
		values = append(values, int64(most), p["minimum"])
	}
	return values
}

// caller is somebody who may use a route, with objects to use it on.
type caller struct {
	t        testing.TB
	token    string
	refresh  string
	item     string
	values   map[string]string
	password string
	slug     string
}

// stepsBefore lead a tenant to where an operator's route finds it in the right state.
var stepsBefore = map[string]string{"POST /admin/tenants/{id}/resume": "POST /admin/tenants/{id}/suspend"}

func newCaller(s *service, slug string, route api.Route) *caller {
	made := s.want(201, s.parts.API.OperatorKey, "POST", "/admin/tenants", map[string]any{
		"slug": slug, "tier": "test", "users": []any{map[string]string{"email": "alice@example.com", "role": "admin"}},
	})
	c := &caller{t: s.t, slug: slug, values: map[string]string{"name": "ui/theme", "path": "reports/q3.txt"}}
	c.password = made["users"].([]any)[0].(map[string]any)["password"].(string)
	tokens := s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": slug, "email": "alice@example.com", "password": c.password})
	c.token, c.refresh = text(tokens, "token"), text(tokens, "refresh_token")
	if route.Guard == api.Operator {
		c.token, c.values["id"] = s.parts.API.OperatorKey, made["id"].(string)
		if strings.Contains(route.Pattern, "{override}") {
			c.values["override"] = text(s.override(c.values["id"], 15), "id")
		}
		if before, ok := stepsBefore[route.Pattern]; ok {
			method, path, _ := strings.Cut(before, " ")
			s.want(204, c.token, method, strings.ReplaceAll(path, "{id}", c.values["id"]), nil)
		}
		return c
	}
	pattern := strings.Replace(route.Pattern, "/shared/", "/shares/", 1)
	// The object is of the last kind that the path names.
	at := -1
	for _, it := range items {
		if i := strings.LastIndex(pattern, "/"+it.name); i > at {
			at = i
			c.item = it.name
		}
	}
	for _, it := range items {
		if it.name == c.item {
			maps.Copy(c.values, it.plant(s, c.token, "a text"))
		}
	}
	return c
}

// request is the path of a pattern with the caller's objects in it.
func (c *caller) request(pattern string) string {
	_, path, _ := strings.Cut(pattern, " ")
	return regexp.MustCompile(`\{(\w+)(\.\.\.)?\}`).ReplaceAllStringFunc(path, func(v string) string {
		name := strings.Trim(v, "{}.")
		if c.values[name] == "" && name != "id" {
			name = "parent"
		}
		if name == "parent" && c.values[name] == "" {
			name = "id"
		}
		if c.values[name] == "" {
			c.t.Fatalf("%s needs an object: add an item named like the last part of its path to the list in foreign_test.go, whose plant returns %q", pattern, name)
		}
		return c.values[name]
	})
}

// fill puts the caller's objects into an example of the document.
func (c *caller) fill(example string) string {
	return strings.NewReplacer(
		api.ExampleID, c.values["id"], api.ExampleParent, c.values["parent"], `"..."`, strconv.Quote(c.password), `"acme"`, strconv.Quote(c.slug),
		strconv.Quote(api.ExampleRefresh), strconv.Quote(c.refresh), strconv.Quote(api.ExampleInvitation), strconv.Quote(c.values["token"]),
	).Replace(example)
}
