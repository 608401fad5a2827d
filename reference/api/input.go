package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// plausible texts are what Postgres can store: UTF-8 without NUL, up to a number of bytes.
func plausible(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// A field is a text of a request with the number of bytes that it may have.
type field struct {
	name  string
	value *string
	limit int
}

// check refuses what is too long or cannot be stored, and, where all fields are required, what is missing.
func check(all bool, fields ...field) error {
	for _, f := range fields {
		if f.value == nil && all || f.value != nil && !plausible(*f.value, f.limit) {
			return fmt.Errorf("%w: %s is a text of 1 to %d bytes", ErrInput, f.name, f.limit)
		}
	}
	return nil
}

// named takes a name from the path. One that cannot be stored cannot exist.
func named(r *http.Request, part string) (string, error) {
	name := r.PathValue(part)
	if !plausible(name, 1024) {
		return "", store.ErrNotFound
	}
	return name, nil
}

// parameter takes a text from the query; empty when it is not there.
func parameter(r *http.Request, name string, limit int) (string, error) {
	values := r.URL.Query()[name]
	if len(values) > 1 || len(values) == 1 && values[0] != "" && !plausible(values[0], limit) {
		return "", fmt.Errorf("%w: %s is one text of at most %d bytes", ErrInput, name, limit)
	}
	return strings.Join(values, ""), nil
}

func limitOf(r *http.Request) (int, error) {
	text, err := parameter(r, "limit", 10)
	if err != nil || text == "" {
		return 50, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 200 {
		return 0, fmt.Errorf("%w: limit is a number from 1 to 200", ErrInput)
	}
	return n, nil
}

// pageOf reads limit and cursor. A cursor continues the list that handed it out, with the same query, of the same tenant, and
// nothing else.
func (a *api) pageOf(r *http.Request, query ...string) (page store.Page, err error) {
	if page.Limit, err = limitOf(r); err != nil {
		return page, err
	}
	cursor, err := parameter(r, "cursor", 500)
	if err != nil || cursor == "" {
		return page, err
	}
	bound, err := cursorBounds(r, query)
	if err != nil {
		return page, err
	}
	content, err := a.Seal.Open(cursor, bound...)
	if err == nil {
		err = json.Unmarshal([]byte(content), &page.After)
	}
	if err != nil {
		sign(r.Context(), StrangeCursor)
		return page, fmt.Errorf("%w: the cursor is not one of this list", ErrInput)
	}
	return page, nil
}

// next is the cursor of the page behind a row, or nothing when the page was not full.
func (a *api) next(r *http.Request, page store.Page, rows int, last func() store.Position, query ...string) (*string, error) {
	if rows < page.Limit {
		return nil, nil
	}
	bound, err := cursorBounds(r, query)
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(last())
	if err != nil {
		return nil, err
	}
	cursor := a.Seal.Sign(string(content), bound...)
	return &cursor, nil
}

func cursorBounds(r *http.Request, query []string) ([]string, error) {
	id, err := tenant.From(r.Context())
	return append([]string{"cursor", string(id.Tenant), r.URL.Path}, query...), err
}

// list is how v1 answers with a page.
func list[T any](items []T, next *string) map[string]any {
	return map[string]any{"items": items, "next": next}
}

// tag is the ETag of a version of an object. It is keyed and holds the tenant: equal objects of two tenants have two tags.
func (a *api) tag(r *http.Request, id string, version int) string {
	who, _ := tenant.From(r.Context()) // behind the chain there is one
	return `"` + a.Seal.Mark("etag", string(who.Tenant), id, strconv.Itoa(version)) + `"`
}

// wanted is the version that If-Match asks for; nil when it asks for any. Bytes are what is asked for, so that a weak tag is never
// the right one (RFC 9110, 13.1.1).
func (a *api) wanted(r *http.Request, doc store.Document) (*int, error) {
	whatever, tags := conditions(r, "If-Match")
	if whatever {
		return nil, nil
	}
	if !slices.Contains(tags, a.tag(r, doc.ID, doc.Version)) {
		return nil, store.ErrChanged
	}
	return &doc.Version, nil
}

// fresh tells whether If-None-Match names a tag, or whatever there is. Weak tags will do (RFC 9110, 13.1.2).
func fresh(r *http.Request, tag string) bool {
	whatever, tags := conditions(r, "If-None-Match")
	return whatever || slices.ContainsFunc(tags, func(one string) bool { return strings.TrimPrefix(one, "W/") == tag })
}

// conditions are the tags of a conditional header, or that it asks for any.
func conditions(r *http.Request, name string) (whatever bool, tags []string) {
	values := r.Header.Values(name)
	if len(values) == 1 && strings.TrimSpace(values[0]) == "*" {
		return true, nil
	}
	for _, value := range values {
		for tag := range strings.SplitSeq(value, ",") { // there is no comma in a tag of ours
			tags = append(tags, strings.TrimSpace(tag))
		}
	}
	return false, tags
}
