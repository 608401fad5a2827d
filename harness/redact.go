package harness

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// redactor replaces secrets by stable placeholders before anything is recorded. Planted canaries are no secrets.
type redactor struct {
	mu      sync.RWMutex
	secrets map[string]string // secret to placeholder
}

// minSecret is the length from which a credential's value is searched for in answers. Shorter ones would blot out
// innocent text; they are still replaced where they were applied.
const minSecret = 8

// learn makes a value a secret, in the forms in which a service could echo it.
func (r *redactor) learn(secret, placeholder string) {
	if len(secret) < minSecret {
		return
	}
	r.mu.RLock()
	_, known := r.secrets[secret]
	r.mu.RUnlock()
	if known {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.secrets == nil {
		r.secrets = map[string]string{}
	}
	r.secrets[secret] = placeholder
	r.secrets[url.QueryEscape(secret)] = placeholder
	if escaped, err := json.Marshal(secret); err == nil {
		r.secrets[string(escaped[1:len(escaped)-1])] = placeholder
	}
}

// bytes returns data with every known secret replaced.
func (r *redactor) bytes(data []byte) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for secret, placeholder := range r.secrets {
		if bytes.Contains(data, []byte(secret)) {
			data = bytes.ReplaceAll(data, []byte(secret), []byte(placeholder))
		}
	}
	return data
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
