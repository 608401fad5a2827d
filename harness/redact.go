package harness

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// redactor replaces secrets by stable placeholders before anything is recorded. Planted canaries are no secrets.
//
// A run forges thousands of tokens, so secrets are found by their first bytes: two of them in a bit set, eight in a map.
type redactor struct {
	mu     sync.RWMutex
	known  map[string]bool
	starts [1 << 16]bool
	heads  map[[minSecret]byte][]secret // longest first
}

type secret struct {
	value       []byte
	placeholder string
}

// minSecret is the length from which a credential's value is searched for in answers. Shorter ones would blot out
// innocent text; they are still replaced where they were applied.
const minSecret = 8

// learn makes a value a secret, in the forms in which a service could echo it.
func (r *redactor) learn(value, placeholder string) {
	if len(value) < minSecret {
		return
	}
	r.mu.RLock()
	known := r.known[value]
	r.mu.RUnlock()
	if known {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	forms := append(base64Forms(value), value, url.QueryEscape(value), hex.EncodeToString([]byte(value)),
		base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)))
	for _, text := range jsonForms(value) {
		forms = append(forms, text, strings.ReplaceAll(text, "/", `\/`))
	}
	forms = append(forms, url.PathEscape(value), lowerEscapes(url.QueryEscape(value)), html.EscapeString(value))
	for _, form := range forms {
		r.add(form, placeholder)
	}
}

// base64Forms are what base64 makes of a value wherever it stands in what was encoded: the letters that it alone decides on, for each
// of the three ways in which it can fall into groups of three bytes.
func base64Forms(value string) (forms []string) {
	for before := range 3 {
		first := (before*8 + 5) / 6 // the letters that the bytes before it decide on, alone or with it
		last := (before + len(value)) * 8 / 6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, encoding.EncodeToString([]byte(strings.Repeat("x", before) + value))[first:last])
		}
	}
	return forms
}

func (r *redactor) add(form, placeholder string) {
	if r.known[form] || len(form) < minSecret {
		return
	}
	if r.known == nil {
		r.known, r.heads = map[string]bool{}, map[[minSecret]byte][]secret{}
	}
	r.known[form] = true
	r.starts[uint16(form[0])<<8|uint16(form[1])] = true
	head := [minSecret]byte([]byte(form))
	bucket := append(r.heads[head], secret{[]byte(form), placeholder})
	slices.SortStableFunc(bucket, func(a, b secret) int { return len(b.value) - len(a.value) })
	r.heads[head] = bucket
}

// bytes returns data with every known secret replaced.
func (r *redactor) bytes(data []byte) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []byte
	kept := 0
	for i := 0; i+minSecret <= len(data); {
		if s, ok := r.at(data[i:]); ok {
			out = append(append(out, data[kept:i]...), s.placeholder...)
			i += len(s.value)
			kept = i
			continue
		}
		i++
	}
	if kept == 0 {
		return data
	}
	return append(out, data[kept:]...)
}

// at finds the secret that data begins with.
func (r *redactor) at(data []byte) (secret, bool) {
	if !r.starts[uint16(data[0])<<8|uint16(data[1])] {
		return secret{}, false
	}
	for _, s := range r.heads[[minSecret]byte(data)] {
		if bytes.HasPrefix(data, s.value) {
			return s, true
		}
	}
	return secret{}, false
}

func (r *redactor) string(s string) string {
	if len(s) < minSecret {
		return s
	}
	return string(r.bytes([]byte(s)))
}

// issuing are headers in which services hand out credentials.
var issuing = []string{
	"Authorization", "X-Access-Token", "X-Api-Key", "X-Auth-Token", "X-Csrf-Token", "X-Id-Token", "X-Refresh-Token", "X-Session-Token", "X-Xsrf-Token",
}

// answered is header for an answer, whose issuing headers hold what nobody has sent yet.
func (r *redactor) answered(h http.Header) http.Header {
	for _, name := range issuing {
		for _, value := range h.Values(name) {
			r.learnParts(value, issued)
		}
	}
	return r.header(h)
}

// issued stands for what a service hands out.
const issued = "<issued>"

// header copies h with secrets replaced. What a service sets as a cookie is a credential of its own: only its name
// and attributes are kept.
func (r *redactor) header(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		for _, value := range values {
			if name == "Set-Cookie" {
				value = maskCookie(value)
			}
			out[name] = append(out[name], r.string(value))
		}
	}
	return out
}

func maskCookie(value string) string {
	name, rest, ok := strings.Cut(value, "=")
	if !ok {
		return value
	}
	secret, attributes, more := strings.Cut(rest, ";")
	if len(secret) >= minSecret {
		secret = "<cookie>"
	}
	if more {
		return name + "=" + secret + ";" + attributes
	}
	return name + "=" + secret
}

// appliedQuery learns what a credential added to the query. Evidence shows the URL without it.
func (r *redactor) appliedQuery(before, after url.Values, placeholder string) {
	for name, values := range after {
		if !same(before[name], values) {
			for _, value := range values {
				r.learn(value, placeholder)
			}
		}
	}
}

// applied learns what a credential changed in a request and returns the header as evidence shows it.
func (r *redactor) applied(before, after http.Header, placeholder string) http.Header {
	shown := make(http.Header, len(after))
	for name, values := range after {
		if same(before[name], values) {
			shown[name] = r.header(http.Header{name: values})[name]
			continue
		}
		shown[name] = []string{placeholder}
		for _, value := range values {
			r.learnParts(value, placeholder)
		}
	}
	return shown
}

// jsonForms are a text as JSON encoders write it: with and without escapes for what is special in HTML.
func jsonForms(value string) (forms []string) {
	for _, escape := range []bool{true, false} {
		var buf bytes.Buffer
		encoder := json.NewEncoder(&buf)
		encoder.SetEscapeHTML(escape)
		if encoder.Encode(value) == nil {
			text := strings.TrimSuffix(buf.String(), "\n")
			forms = append(forms, text[1:len(text)-1])
		}
	}
	return forms
}

// lowerEscapes turns "%2B" into "%2b".
func lowerEscapes(escaped string) string {
	out := []byte(escaped)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i:], strings.ToLower(string(out[i:i+3])))
		}
	}
	return string(out)
}

// learnParts learns a header's value, what follows its scheme ("Bearer x"), the password of basic authentication, and the
// values of its cookies.
func (r *redactor) learnParts(value, placeholder string) {
	r.learn(value, placeholder)
	if scheme, token, ok := strings.Cut(value, " "); ok {
		r.learn(token, placeholder)
		if text, err := base64.StdEncoding.DecodeString(token); err == nil && strings.EqualFold(scheme, "Basic") {
			_, password, _ := strings.Cut(string(text), ":")
			r.learn(password, placeholder)
		}
	}
	for _, pair := range strings.Split(value, ";") {
		if _, v, ok := strings.Cut(strings.TrimSpace(pair), "="); ok {
			r.learn(v, placeholder)
		}
	}
}

func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
