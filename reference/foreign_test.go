package reference_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference/api"
)

// item is a kind of object of the API, with what a neighbour may try on one.
type item struct {
	name string
	// plant makes an object under a name that all tenants use, that holds the secret, and returns the values of the
	// variables in paths and bodies.
	plant func(s *service, token, secret string) map[string]string
	// tries are requests "METHOD path body" that name the object. As a neighbour each must be answered exactly as it is for ids that
	// nobody has.
	tries []string
	// same are requests that name what all tenants have under one name. A neighbour does them to its own, and to nothing else.
	same []string
	// see are the paths of the lists, and of the object itself, that show the object to its owner.
	see []string
}

func text(out map[string]any, name string) string {
	s, _ := out[name].(string)
	return s
}

var items = []item{
	{
		name: "documents",
		plant: func(s *service, token, secret string) map[string]string {
			doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": "plan", "title": "plan", "body": secret})
			return map[string]string{"id": text(doc, "id")}
		},
		tries: []string{
			"GET /v1/documents/{id}", "GET /v2/documents/{id}", `PATCH /v1/documents/{id} {"title":"x"}`,
			`PUT /v1/documents/{id} {"slug":"x","title":"x","body":"x"}`, "DELETE /v1/documents/{id}",
			`POST /v1/documents/{id}/clone {"slug":"copy"}`, `POST /v1/documents/{id}/comments {"text":"x"}`, "GET /v1/documents/{id}/comments",
			`POST /v1/documents/bulk-get {"ids":["{id}"]}`, `POST /v1/documents/bulk-get {"ids":["{own}","{id}"]}`,
			`POST /v1/documents/bulk-delete {"ids":["{own}","{id}"]}`, "GET /v1/documents?q={id}",
		},
		see: []string{"/v1/documents", "/v1/documents?q={secret}", "/v2/documents", "/v1/documents/{id}", "/v2/documents/{id}"},
	},
	{
		name: "trash",
		plant: func(s *service, token, secret string) map[string]string {
			doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": "old plan", "title": "plan", "body": secret})
			s.want(204, token, "DELETE", "/v1/documents/"+text(doc, "id"), nil)
			return map[string]string{"id": text(doc, "id")}
		},
		tries: []string{"POST /v1/trash/{id}/restore", "DELETE /v1/trash/{id}", "GET /v1/documents/{id}"},
		see:   []string{"/v1/trash"},
	},
	{
		name: "comments",
		plant: func(s *service, token, secret string) map[string]string {
			doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": "commented", "title": "plan", "body": "x"})
			comment := s.want(201, token, "POST", "/v1/documents/"+text(doc, "id")+"/comments", map[string]string{"text": secret})
			return map[string]string{"parent": text(doc, "id"), "id": text(comment, "id")}
		},
		tries: []string{
			"GET /v1/documents/{parent}/comments/{id}", "GET /v1/documents/{own parent}/comments/{id}", "GET /v1/documents/{parent}/comments/{own}",
			"DELETE /v1/documents/{parent}/comments/{id}", "DELETE /v1/documents/{own parent}/comments/{id}",
		},
		see: []string{"/v1/documents/{parent}/comments", "/v1/documents/{parent}/comments/{id}"},
	},
	{
		name: "categories",
		plant: func(s *service, token, secret string) map[string]string {
			category := s.want(201, token, "POST", "/v1/categories", map[string]string{"name": "plans"})
			id := text(category, "id")
			s.want(200, token, "PUT", "/v1/categories/"+id, map[string]string{"name": secret})
			doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": "sorted", "title": "x", "body": secret, "category_id": id})
			return map[string]string{"id": id, "doc": text(doc, "id")}
		},
		tries: []string{
			"GET /v1/categories/{id}", `PUT /v1/categories/{id} {"name":"x"}`, "DELETE /v1/categories/{id}", "GET /v1/documents?category_id={id}",
			`POST /v1/documents {"slug":"theirs","title":"x","body":"x","category_id":"{id}"}`, `PATCH /v1/documents/{own doc} {"category_id":"{id}"}`,
		},
		see: []string{"/v1/categories", "/v1/categories/{id}", "/v1/documents?category_id={id}"},
	},
	{
		name: "projects",
		plant: func(s *service, token, secret string) map[string]string {
			return map[string]string{"id": text(s.want(201, token, "POST", "/v1/projects", map[string]string{"slug": "move", "name": secret}), "id")}
		},
		tries: []string{
			"GET /v1/projects/{id}", `PUT /v1/projects/{id} {"name":"x"}`, "DELETE /v1/projects/{id}", "GET /v1/projects/{id}/notes",
			`POST /v1/projects/{id}/notes {"text":"x"}`,
		},
		see: []string{"/v1/projects", "/v1/projects/{id}"},
	},
	{
		name: "notes",
		plant: func(s *service, token, secret string) map[string]string {
			project := s.want(201, token, "POST", "/v1/projects", map[string]string{"slug": "noted", "name": "x"})
			note := s.want(201, token, "POST", "/v1/projects/"+text(project, "id")+"/notes", map[string]string{"text": secret})
			return map[string]string{"parent": text(project, "id"), "id": text(note, "id")}
		},
		tries: []string{
			"GET /v1/projects/{parent}/notes/{id}", "GET /v1/projects/{own parent}/notes/{id}", "GET /v1/projects/{parent}/notes/{own}",
			`PUT /v1/projects/{parent}/notes/{id} {"text":"x"}`, `PUT /v1/projects/{own parent}/notes/{id} {"text":"x"}`,
			`POST /v1/projects/{parent}/notes/{id}/move {"project_id":"{own parent}"}`,
			`POST /v1/projects/{own parent}/notes/{id}/move {"project_id":"{own parent}"}`,
			`POST /v1/projects/{own parent}/notes/{own}/move {"project_id":"{parent}"}`,
			"DELETE /v1/projects/{parent}/notes/{id}", "DELETE /v1/projects/{own parent}/notes/{id}",
		},
		see: []string{"/v1/projects/{parent}/notes", "/v1/projects/{parent}/notes/{id}"},
	},
	{
		name: "invoices",
		plant: func(s *service, token, secret string) map[string]string {
			invoice := s.want(201, token, "POST", "/v1/invoices", map[string]any{"customer": secret, "amount_cents": 4200})
			return map[string]string{"id": text(invoice, "id")}
		},
		tries: []string{"GET /v1/invoices/{id}"},
		see:   []string{"/v1/invoices", "/v1/invoices/{id}", "/v1/invoices/totals"}, // whose sums are in TestInvoices
	},
	membersItem, invitationsItem, sharesItem, linksItem, apiKeysItem,
	{
		name: "preferences",
		plant: func(s *service, token, secret string) map[string]string {
			only := "only/" + uuid.NewString()
			for _, name := range []string{"ui/theme", only} {
				s.want(200, token, "PUT", "/v1/preferences/"+name, map[string]string{"value": secret})
			}
			return map[string]string{"name": only}
		},
		tries: []string{"GET /v1/preferences/{name}", "DELETE /v1/preferences/{name}", `PUT /v1/preferences/{name} {"value":"x"}`},
		same:  []string{"GET /v1/preferences/ui/theme", `PUT /v1/preferences/ui/theme {"value":"x"}`, "DELETE /v1/preferences/ui/theme"},
		see:   []string{"/v1/preferences", "/v1/preferences/ui/theme", "/v1/preferences/{name}"},
	},
	{
		name: "files",
		plant: func(s *service, token, secret string) map[string]string {
			only := "only/" + uuid.NewString()
			for _, path := range []string{"reports/q3.txt", only} {
				s.want(204, token, "PUT", "/v1/files/"+path, secret)
			}
			return map[string]string{"path": only}
		},
		tries: []string{"GET /v1/files/{path}", "GET /v1/file-versions/{path}", "DELETE /v1/files/{path}", "PUT /v1/files/{path} {}", "DELETE /v1/files/{path}"},
		same: []string{
			"GET /v1/files/reports/q3.txt", "GET /v1/file-versions/reports/q3.txt", "PUT /v1/files/reports/q3.txt {}", "DELETE /v1/files/reports/q3.txt",
		},
		see: []string{"/v1/files", "/v1/files/reports/q3.txt", "/v1/files/{path}", "/v1/file-versions/reports/q3.txt"},
	},
	{
		name: "file-versions",
		plant: func(s *service, token, secret string) map[string]string {
			s.want(204, token, "PUT", "/v1/files/reports/q4.txt", secret)
			s.want(204, token, "PUT", "/v1/files/reports/q4.txt", "x")
			s.want(204, token, "PUT", "/v1/files/reports/q5.txt", "x")
			return map[string]string{"id": s.versions(token, "reports/q4.txt")[1], "path": "reports/q4.txt"}
		},
		tries: []string{"GET /v1/files/reports/q4.txt?version={id}", "GET /v1/files/reports/q5.txt?version={id}", "GET /v1/files/{id}"},
		see:   []string{"/v1/files/reports/q4.txt?version={id}", "/v1/file-versions/reports/q4.txt"},
	},
	{
		name: "exports",
		plant: func(s *service, token, secret string) map[string]string {
			s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": "to export", "title": "x", "body": secret})
			return map[string]string{"id": s.exported(token)}
		},
		tries: []string{"GET /v1/exports/{id}", "GET /v1/exports/{id}/download", "GET /v1/files/exports/{id}", "GET /v1/files/..%2fexports%2f{id}"},
		see:   []string{"/v1/exports", "/v1/exports/{id}", "/v1/exports/{id}/download"},
	},
	{
		name: "webhooks",
		plant: func(s *service, token, secret string) map[string]string {
			made := s.want(201, token, "POST", "/v1/webhooks", map[string]string{"url": "https://example.com/?" + secret, "event": "notes"})
			return map[string]string{"id": text(made, "id")}
		},
		tries: []string{"GET /v1/webhooks/{id}", "POST /v1/webhooks/{id}/ping", "DELETE /v1/webhooks/{id}"},
		see:   []string{"/v1/webhooks", "/v1/webhooks/{id}"},
	},
}

// TestForeignTenant: whatever a neighbour tries on an object is answered exactly as it is for ids that nobody has, and the
// object stays what it was.
func TestForeignTenant(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		_, a := s.admit("acme")
		_, b := s.admit("globex")
		for _, it := range items {
			t.Run(it.name, func(t *testing.T) {
				s := &service{t, s.parts, s.handler, s.url}
				const secretA, secretB = "secret of acme", "secret of globex"
				own, foreign := it.plant(s, b, secretB), it.plant(s, a, secretA)
				values := map[string]string{}
				nobody := map[string]string{}
				for name := range foreign {
					values[name], nobody[name] = foreign[name], "018f2c3a-5b1e-4d7a-9c00-"+strings.Repeat("0", 12)
					mine := strings.TrimSuffix("own "+name, " id")
					values[mine], nobody[mine] = own[name], own[name]
				}
				before := see(s, a, it, foreign, secretA)
				if !strings.Contains(before, secretA) {
					t.Errorf("the owner does not see its own: %s", before)
				}
				for _, try := range it.tries {
					want, wantText := s.ask(b, try, nobody)
					got, gotText := s.ask(b, try, values)
					if got != want || unnamed(gotText, values) != unnamed(wantText, nobody) {
						t.Errorf("%s of a foreign object answers %d %s, of none %d %s", try, got, gotText, want, wantText)
					}
					if strings.Contains(gotText, secretA) || got >= 500 {
						t.Errorf("%s answers %d %s", try, got, gotText)
					}
				}
				if seen := see(s, b, it, own, secretB); !strings.Contains(seen, secretB) || strings.Contains(seen, secretA) {
					t.Errorf("the neighbour sees %s", seen)
				}
				for _, request := range it.same {
					if status, body := s.ask(b, request, own); status >= 300 || strings.Contains(body, secretA) {
						t.Errorf("%s of its own answers the neighbour %d %s", request, status, body)
					}
				}
				if after := see(s, a, it, foreign, secretA); after != before {
					t.Errorf("it was %s\nand is %s", before, after)
				}
			})
		}
	})
}

// TestEveryRouteIsTried: no route that names an object of a tenant was left out above, and none is tried without an object, which
// would compare a request with itself.
func TestEveryRouteIsTried(t *testing.T) {
	mux := http.NewServeMux()
	untried := map[string]bool{}
	for _, route := range api.Routes() {
		mux.Handle(route.Pattern, http.NotFoundHandler())
		if route.Guard == api.Chain && strings.Contains(route.Pattern, "{") {
			untried[route.Pattern] = true
		}
	}
	for _, it := range items {
		for _, try := range slices.Concat(it.tries, it.same) {
			method, rest, _ := strings.Cut(try, " ")
			path, _, _ := strings.Cut(rest, " {")
			r := httptest.NewRequest(method, regexpVariables.ReplaceAllString(path, "x"), nil)
			_, pattern := mux.Handler(r)
			delete(untried, pattern)
			if pattern == "" {
				t.Errorf("%s: there is no route for %s", it.name, try)
			}
			if !slices.Contains(it.same, try) && !regexpVariables.MatchString(try) {
				t.Errorf("%s: %s names no object", it.name, try)
			}
		}
	}
	for pattern := range untried {
		t.Errorf("no neighbour tries %s", pattern)
	}
}

// ask sends a request "METHOD path body" with values for its variables.
func (s *service) ask(token, request string, values map[string]string) (int, string) {
	s.t.Helper()
	method, rest, _ := strings.Cut(request, " ")
	path, body, found := strings.Cut(rest, " {")
	if !found {
		return s.do(token, method, fill(path, values), nil)
	}
	return s.do(token, method, fill(path, values), fill("{"+body, values))
}

// see is all that a tenant sees of an item.
func see(s *service, token string, it item, values map[string]string, secret string) string {
	s.t.Helper()
	values = maps.Clone(values)
	if values == nil {
		values = map[string]string{}
	}
	values["secret"] = strings.ReplaceAll(secret, " ", "%20")
	var all []string
	for _, path := range it.see {
		status, body := s.do(token, "GET", fill(path, values), nil)
		if status != 200 {
			s.t.Errorf("GET %s answers its owner %d %s", path, status, body)
		}
		all = append(all, path+": "+body)
	}
	return strings.Join(all, "\n")
}

// fill puts the values of variables into a template.
func fill(template string, values map[string]string) string {
	for name, value := range values {
		template = strings.ReplaceAll(template, "{"+name+"}", value)
	}
	return template
}

// unnamed is an answer without the ids that were sent.
func unnamed(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, value, "{"+name+"}")
	}
	return text
}
