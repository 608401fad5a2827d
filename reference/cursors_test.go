package reference_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/partywall/partywall/reference/api"
)

// lists are paths of a tenant's lists with cursors, each with more than one page of a single item; the same ones for all tenants.
func (s *service) lists(token string) (paths []string) {
	s.t.Helper()
	category := text(s.want(201, token, "POST", "/v1/categories", map[string]string{"name": "plans"}), "id")
	var notes []string
	for _, slug := range []string{"one", "two"} {
		doc := s.want(201, token, "POST", "/v1/documents", map[string]string{"slug": slug, "title": "a plan", "body": "x", "category_id": category})
		s.want(201, token, "POST", "/v1/documents/"+text(doc, "id")+"/clone", map[string]string{"slug": "old " + slug})
		trashed := s.document(token, "trashed "+slug)
		s.want(204, token, "DELETE", "/v1/documents/"+trashed, nil)
		s.want(201, token, "POST", "/v1/invoices", map[string]any{"customer": slug, "amount_cents": 1})
		s.want(202, token, "POST", "/v1/exports", nil)
		project := text(s.want(201, token, "POST", "/v1/projects", map[string]string{"slug": slug, "name": slug}), "id")
		for range 2 {
			s.want(201, token, "POST", "/v1/projects/"+project+"/notes", map[string]string{"text": slug})
		}
		notes = append(notes, "/v1/projects/"+project+"/notes")
	}
	return append(notes, "/v1/documents", "/v1/documents?q=plan", "/v1/documents?category_id="+category, "/v1/documents?q=plan&category_id="+category,
		"/v2/documents", "/v2/documents?q=plan", "/v1/trash", "/v1/projects", "/v1/invoices", "/v1/exports", "/v1/audit")
}

// page reads one page of a list.
func (s *service) page(token, path, cursor string, limit int) (status int, ids []string, next string) {
	s.t.Helper()
	separator := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
	path += separator + "limit=" + fmt.Sprint(limit)
	if cursor != "" {
		path += "&cursor=" + cursor
	}
	status, body := s.do(token, "GET", path, nil)
	out := map[string]any{}
	_ = json.Unmarshal([]byte(body), &out) // a refusal has neither
	items, found := out["items"].([]any)
	next = text(out, "next")
	if !found {
		items, _ = out["data"].([]any)
		page, _ := out["page"].(map[string]any)
		next = text(page, "next")
	}
	for _, item := range items {
		entry := item.(map[string]any)
		if number, counted := entry["seq"]; counted {
			ids = append(ids, fmt.Sprint(number))
			continue
		}
		ids = append(ids, text(entry, "id"))
	}
	return status, ids, next
}

// TestCursors: a cursor continues the list that handed it out, whatever the size of its pages, and nothing else: no other list, no
// other query, and no list of a neighbour.
func TestCursors(t *testing.T) {
	s := start(t, "row")
	_, a := s.admit("acme")
	_, b := s.admit("globex")
	own, theirs := s.lists(a), s.lists(b)
	for i, path := range own {
		status, all, _ := s.page(a, path, "", 200)
		if status != 200 || len(all) < 2 {
			t.Fatalf("GET %s answers %d with %q", path, status, all)
		}
		var paged []string
		first := ""
		for cursor := ""; ; {
			status, ids, next := s.page(a, path, cursor, 1)
			if status != 200 || len(ids) > 1 || len(paged) > len(all) {
				t.Fatalf("GET %s behind %q answers %d with %q", path, cursor, status, ids)
			}
			paged = append(paged, ids...)
			if first == "" {
				first = next
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		if !slices.Equal(paged, all) {
			t.Errorf("page by page GET %s holds %q, at once %q", path, paged, all)
		}
		if status, ids, _ := s.page(a, path, first, 200); status != 200 || !slices.Equal(ids, all[1:]) {
			t.Errorf("with larger pages the list %s goes on with %d %q", path, status, ids)
		}
		for j, other := range own {
			if status, ids, _ := s.page(a, other, first, 1); j != i && status != 400 {
				t.Errorf("the cursor of %s at %s answers %d %q", path, other, status, ids)
			}
		}
		for _, other := range theirs {
			if status, ids, _ := s.page(b, other, first, 1); status != 400 {
				t.Errorf("a cursor of acme's %s at globex's %s answers %d %q", path, other, status, ids)
			}
		}
		for name, bad := range forgedCursors(t, first) {
			if status, ids, _ := s.page(a, path, bad, 1); status != 400 {
				t.Errorf("%s of %s answers %d %q", name, path, status, ids)
			}
		}
	}
	for pattern, op := range api.Document().Operations {
		_, path, _ := strings.Cut(pattern, " ")
		if !slices.Contains(op.Query, "cursor") {
			continue
		}
		like := regexp.MustCompile("^" + regexpVariables.ReplaceAllString(path, "[^/]+") + "$")
		if !slices.ContainsFunc(own, like.MatchString) {
			t.Errorf("%s has a cursor that is not tried here", pattern)
		}
	}
}

// forgedCursors are made of a good one.
func forgedCursors(t *testing.T, good string) map[string]string {
	t.Helper()
	encoded, mark, _ := strings.Cut(good, ".")
	content, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !strings.Contains(string(content), "20") {
		t.Fatalf("the cursor %s holds %s, %v", good, content, err)
	}
	sooner := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(content), "20", "19", 1)))
	return map[string]string{
		"a cursor with another position": sooner + "." + mark, "a cursor without a mark": encoded, "a cursor with an empty mark": encoded + ".",
		"a cursor cut short": good[:len(good)-1], "a mark alone": "." + mark, "nonsense": "x", "a cursor of null": "bnVsbA." + mark,
		"a long cursor": strings.Repeat("x", 501), "a cursor given twice": good + "&cursor=" + good,
	}
}

// TestCursorOutlivesItsRow: a list goes on behind a row that is gone.
func TestCursorOutlivesItsRow(t *testing.T) {
	s := start(t, "row")
	_, a := s.admit("acme")
	oldest, middle, newest := s.document(a, "one"), s.document(a, "two"), s.document(a, "three")
	_, ids, next := s.page(a, "/v1/documents", "", 2)
	if !slices.Equal(ids, []string{newest, middle}) {
		t.Fatalf("newest first are %q", ids)
	}
	s.want(http.StatusNoContent, a, "DELETE", "/v1/documents/"+middle, nil)
	if status, ids, next := s.page(a, "/v1/documents", next, 2); status != 200 || !slices.Equal(ids, []string{oldest}) || next != "" {
		t.Errorf("behind a document that is gone there are %d %q, then %q", status, ids, next)
	}
}
