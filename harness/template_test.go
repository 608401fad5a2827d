package harness

import (
	"net/url"
	"slices"
	"testing"
)

func TestExpand(t *testing.T) {
	values := Values{"id": "a/b c", "tenant.id": "t-1", "x": "{id}"}
	for template, want := range map[string]string{
		"":                         "",
		"plain":                    "plain",
		"/n/{id}":                  "/n/a%2Fb%20c",
		"/n/{id...}/x":             "/n/a/b%20c/x",
		"{tenant.id}{id}":          "t-1a%2Fb%20c",
		"/{missing}/":              "//",
		`{"a": "{tenant.id}", {}}`: `{"a": "t-1", {}}`,
		"{x}":                      "%7Bid%7D", // a value is no template
		"{1} { {{tenant.id}} {":    "{1} { {t-1} {",
	} {
		if got := expand(template, values, url.PathEscape); got != want {
			t.Errorf("%q becomes %q, want %q", template, got, want)
		}
	}
	if got := variables("{id...} {b} {c d}"); !slices.Equal(got, []string{"id", "b"}) {
		t.Errorf("the variables are %q", got)
	}
}
