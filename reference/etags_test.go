package reference_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// tagged reads a document with a condition and returns the status, its tag and the body.
func (s *service) tagged(token, path string, conditions ...string) (status int, tag, body string) {
	s.t.Helper()
	header := http.Header{}
	if conditions != nil {
		header["If-None-Match"] = conditions
	}
	status, answered, body := s.raw(token, "GET", path, header, "")
	return status, answered.Get("ETag"), body
}

// twins are documents of two tenants that are the same in everything, their id included.
func (s *service) twins(tenants ...string) (id string) {
	s.t.Helper()
	id = uuid.NewString()
	for _, owner := range tenants {
		err := s.parts.DB.Strategy.Query(s.t.Context(), tenant.ID(owner), `insert into documents (tenant_id, id, slug, title, body, created_at, updated_at)
			values (@tenant::uuid, @id::uuid, 'twin', 'twin', 'twin', '2026-01-01', '2026-01-01')`, pgx.NamedArgs{"tenant": owner, "id": id}, nil)
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return id
}

// TestTags: the tag of a document is that of one version of one document of one tenant. Its owner is told that nothing has changed;
// nobody else learns anything from a tag.
func TestTags(t *testing.T) {
	s := start(t, "row")
	acme, a := s.admit("acme")
	globex, b := s.admit("globex")
	path := "/v1/documents/" + s.twins(acme, globex)
	other := "/v1/documents/" + s.document(a, "another")
	_, tag, body := s.tagged(a, path)
	_, theirs, same := s.tagged(b, path)
	_, another, _ := s.tagged(a, other)
	if body != same || tag == "" || tag == theirs || tag == another {
		t.Fatalf("equal documents of two tenants have the tags %s and %s, another one of the first has %s", tag, theirs, another)
	}
	for _, path := range []string{path, strings.Replace(path, "/v1/", "/v2/", 1)} {
		for _, same := range [][]string{{tag}, {"W/" + tag}, {`"x", ` + tag}, {`"x" ,W/` + tag + ` , "y"`}, {`"x"`, tag}, {"*"}, {" * "}} {
			if status, again, body := s.tagged(a, path, same...); status != 304 || body != "" || again != tag {
				t.Errorf("GET %s unless %q answers %d %s %s", path, same, status, again, body)
			}
		}
		for _, changed := range [][]string{nil, {theirs}, {another}, {"W/" + theirs}, {`"x"`}, {""}, {strings.Trim(tag, `"`)}, {tag[:len(tag)-2] + `"`}} {
			if status, again, body := s.tagged(a, path, changed...); status != 200 || again != tag || body == "" {
				t.Errorf("GET %s unless %q answers %d %s %s", path, changed, status, again, body)
			}
		}
	}
	for _, condition := range []string{another, "*", "W/" + another} { // the neighbour has no such document
		status, none, body := s.tagged(b, other, condition)
		_, _, unknown := s.tagged(b, "/v1/documents/"+uuid.NewString(), condition)
		if status != 404 || none != "" || body != unknown {
			t.Errorf("a foreign document unless %s answers %d %s %s", condition, status, none, body)
		}
	}
	s.want(200, a, "PATCH", path, map[string]string{"title": "changed"})
	if status, now, _ := s.tagged(a, path, tag); status != 200 || now == tag {
		t.Errorf("a changed document answers %d with the tag %s", status, now)
	}
	if status, _, _ := s.tagged(b, path, theirs); status != 304 {
		t.Errorf("that of the neighbour, which has not changed, answers %d", status)
	}
}

// TestIfMatch: what is changed on a condition is changed as long as the document is what the client has seen, and else stays as it is.
func TestIfMatch(t *testing.T) {
	s := start(t, "row")
	acme, a := s.admit("acme")
	globex, b := s.admit("globex")
	path := "/v1/documents/" + s.twins(acme, globex)
	_, theirs, _ := s.tagged(b, path)
	other := "/v1/documents/" + s.document(a, "another")
	_, another, _ := s.tagged(a, other)
	_, stale, _ := s.tagged(a, path)
	s.want(200, a, "PATCH", path, map[string]string{"title": "changed"})
	_, tag, before := s.tagged(a, path)
	whole := `{"slug":"twin","title":"once more","body":"x"}`
	change := func(token, method, path string, conditions []string, body string) (int, http.Header, string) {
		header := http.Header{"Content-Type": {"application/json"}, "If-Match": conditions}
		return s.raw(token, method, path, header, body)
	}
	for _, wrong := range [][]string{{stale}, {theirs}, {another}, {"W/" + tag}, {`"x"`}, {""}, {`"x"`, stale}, {"*", `"x"`}, {strings.Trim(tag, `"`)}} {
		for method, body := range map[string]string{"PATCH": `{"title":"lost"}`, "PUT": whole, "DELETE": ""} {
			if status, _, text := change(a, method, path, wrong, body); status != 412 || !strings.Contains(text, `"status":412`) {
				t.Errorf("%s if %q answers %d %s", method, wrong, status, text)
			}
		}
	}
	if _, now, after := s.tagged(a, path); after != before || now != tag {
		t.Errorf("it was %s\nand is %s", before, after)
	}
	for _, condition := range []string{another, "*"} { // on the condition that is right for its owner
		for method, body := range map[string]string{"PATCH": `{"title":"lost"}`, "PUT": whole, "DELETE": ""} {
			status, header, text := change(b, method, other, []string{condition}, body)
			_, _, unknown := change(b, method, "/v1/documents/"+uuid.NewString(), []string{condition}, body)
			if status != 404 || header.Get("ETag") != "" || text != unknown {
				t.Errorf("%s of a foreign document if %s answers %d %s", method, condition, status, text)
			}
		}
	}
	for _, right := range []string{"%s", `"x", %s`, "*"} {
		status, header, text := change(a, "PATCH", path, []string{strings.ReplaceAll(right, "%s", tag)}, `{"title":"again"}`)
		if status != 200 || header.Get("ETag") == tag {
			t.Errorf("PATCH if %q answers %d with the tag %s: %s", right, status, header.Get("ETag"), text)
		}
		tag = header.Get("ETag") // it is good for the next change
	}
	if status, _, text := change(a, "PUT", path, []string{tag}, whole); status != 200 {
		t.Errorf("PUT answers %d %s", status, text)
	}
	_, tag, _ = s.tagged(a, path)
	if status, _, text := change(a, "DELETE", path, []string{tag}, ""); status != 204 {
		t.Errorf("DELETE answers %d %s", status, text)
	}
	if status, now, _ := s.tagged(b, path, theirs); status != 304 || now != theirs {
		t.Errorf("that of the neighbour answers %d with the tag %s", status, now)
	}
}

// TestChangedMeanwhile: who changes a document between the look at its tag and the change that depends on it is not overwritten.
func TestChangedMeanwhile(t *testing.T) {
	s := start(t, "row", func(p *reference.Parts) { p.API.Documents = overtaken{p.API.Documents} })
	_, a := s.admit("acme")
	path := "/v1/documents/" + s.document(a, "plan")
	for method, body := range map[string]string{"PATCH": `{"title":"lost"}`, "PUT": `{"slug":"plan","title":"lost","body":"lost"}`, "DELETE": ""} {
		status, header, text := s.raw(a, "PATCH", path, http.Header{"Content-Type": {"application/json"}}, `{"title":"before"}`)
		if status != 200 || header.Get("ETag") == "" {
			t.Fatalf("without a condition it answers %d %s", status, text)
		}
		status, _, text = s.raw(a, method, path, http.Header{"Content-Type": {"application/json"}, "If-Match": {header.Get("ETag")}}, body)
		if status != 412 {
			t.Errorf("%s answers %d %s", method, status, text)
		}
		if got := s.want(200, a, "GET", path, nil); got["title"] != "overtaken" {
			t.Errorf("after %s it is %v", method, got)
		}
	}
}

// overtaken has somebody change a document whenever it was read.
type overtaken struct{ store.Documents }

func (o overtaken) Get(ctx context.Context, id string) (store.Document, error) {
	doc, err := o.Documents.Get(ctx, id)
	if err == nil {
		title := "overtaken"
		_, err = o.Update(ctx, id, store.Change{Title: &title})
	}
	return doc, err
}
