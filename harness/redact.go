package harness

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
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
	forms := []string{
		value, url.QueryEscape(value), hex.EncodeToString([]byte(value)),
		base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	}
	if escaped, err := json.Marshal(value); err == nil {
		forms = append(forms, string(escaped[1:len(escaped)-1]))
	}
	for _, form := range forms {
		r.add(form, placeholder)
	}
}

func (r *redactor) add(form, placeholder string) {
	if r.known[form] {
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

func (r *redactor) string(s string) string { return string(r.bytes([]byte(s))) }

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

// learnParts learns a header's value, what follows its scheme ("Bearer x"), and the values of its cookies.
func (r *redactor) learnParts(value, placeholder string) {
	r.learn(value, placeholder)
	if _, token, ok := strings.Cut(value, " "); ok {
		r.learn(token, placeholder)
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
