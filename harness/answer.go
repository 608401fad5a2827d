package harness

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// met tells whether an answer is a success.
func (s Success) met(r *Response) bool {
	if len(s.Status) > 0 && !slices.Contains(s.Status, r.Status) || len(s.Status) == 0 && (r.Status < 200 || r.Status > 299) {
		return false
	}
	if s.Pointer != "" {
		value, ok := at(r.Body, s.Pointer)
		if !ok || s.Equals != "" && plain(value) != s.Equals {
			return false
		}
	}
	if s.Absent != "" {
		if value, ok := at(r.Body, s.Absent); ok && value != nil {
			return false
		}
	}
	return (s.Body == "" || matches(s.Body, string(r.Body))) &&
		(s.NotBody == "" || !matches(s.NotBody, string(r.Body))) &&
		(s.Header == "" || matches(s.HeaderMatch, strings.Join(r.Header.Values(s.Header), ", ")))
}

func matches(pattern, s string) bool {
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(s)
}

// find returns the first value that a locator points to.
func (l Locator) find(r *Response) (string, bool) {
	var text string
	switch {
	case l.Pointer != "":
		value, ok := at(r.Body, l.Pointer)
		if !ok || value == nil {
			return "", false
		}
		text = plain(value)
	case l.Header != "":
		if text = r.Header.Get(l.Header); text == "" {
			return "", false
		}
	case l.Pattern == "":
		return "", false
	default:
		text = string(r.Body)
	}
	if l.Pattern == "" {
		return text, text != ""
	}
	re, err := regexp.Compile(l.Pattern)
	if err != nil {
		return "", false
	}
	m := re.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	return m[len(m)-1], m[len(m)-1] != ""
}

// at resolves an RFC 6901 pointer in a JSON text. Numbers keep their digits.
func at(body []byte, pointer string) (any, bool) {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, false
	}
	if pointer == "/" || pointer == "" {
		return value, true
	}
	for _, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[token]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

func plain(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		out, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(out)
	}
}

// limited tells whether an answer is a refusal by a limiter rather than by a wall.
func (r *Response) limited() bool { return r.Status == http.StatusTooManyRequests }

// absent tells whether an answer says that nobody was there to answer: a gateway, or an overloaded service, spoke instead of the wall.
// A plain 500 is a denial in many services.
func (r *Response) absent() bool {
	return r.Status == http.StatusBadGateway || r.Status == http.StatusServiceUnavailable || r.Status == http.StatusGatewayTimeout
}

// longestWait is how long a limiter may make a run wait for one request.
const longestWait = 30 * time.Second

// retryAfter is how long a limiter asks to wait; ok is false when it does not say, or asks for too long.
func (r *Response) retryAfter() (wait time.Duration, ok bool) {
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	wait = time.Duration(seconds) * time.Second
	return wait, err == nil && wait >= 0 && wait <= longestWait
}
