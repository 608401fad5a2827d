package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Values binds the variables of an operation's templates.
type Values map[string]string

var variable = regexp.MustCompile(`\{([a-zA-Z_][a-zA-Z0-9_.-]*?)(\.\.\.)?\}`)

// variables lists the names in a template, without the "..." of one that keeps its slashes.
func variables(template string) []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(template, -1) {
		names = append(names, m[1])
	}
	return names
}

func walkStrings(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case []any:
		for _, e := range v {
			walkStrings(e, visit)
		}
	case []string:
		for _, e := range v {
			visit(e)
		}
	case map[string]any:
		for _, e := range v {
			walkStrings(e, visit)
		}
	case map[string]string:
		for _, e := range v {
			visit(e)
		}
	}
}

// expand fills a template. A variable without a value becomes empty: a request with a hole is still a request, and
// its control will tell.
func expand(template string, values Values, escape func(string) string) string {
	return variable.ReplaceAllStringFunc(template, func(m string) string {
		sub := variable.FindStringSubmatch(m)
		value := values[sub[1]]
		if escape == nil {
			return value
		}
		if sub[2] == "" {
			return escape(value)
		}
		segments := strings.Split(value, "/")
		for i := range segments {
			segments[i] = escape(segments[i])
		}
		return strings.Join(segments, "/")
	})
}

// A Call is a request that is not yet sent: an operation with its values, which an attack may bend before and after
// it is rendered.
type Call struct {
	Resource *Resource
	Op       *Operation
	Values   Values
	// IDs replace the element "{id}" of an array in a JSON body: the objects of a batch.
	IDs []string
	// RawID stands for the id in the path, byte for byte, escapes included: for ids that net/url would clean or escape.
	RawID string
	// Query and Header are set on top of the operation's own; values are added, never replaced.
	Query  url.Values
	Header http.Header
	// Extra members of a JSON or form body.
	Extra map[string]any
	// As replaces the actor's credential, for example by a forged one.
	As Credential
	// Label says in the evidence what was bent.
	Label string
}

// NewCall prepares an operation of the resource with values.
func NewCall(r *Resource, op *Operation, values Values) Call {
	return Call{Resource: r, Op: op, Values: values}
}

const rawMark = "\x00"

// rendered is a request ready to be sent, kept as bytes so that it can be recorded.
type rendered struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

// render fills the templates. The URL is opaque to the client: what is written here is what goes over the wire, so
// that hostile paths are not cleaned on their way.
func (c *Call) render(base *url.URL) (*rendered, error) {
	template := c.Op.Path
	if c.RawID != "" {
		// A brace in a raw id must not become a variable, so the id goes in after the others are filled.
		template = strings.NewReplacer("{id...}", rawMark, "{id}", rawMark).Replace(template)
	}
	path := strings.ReplaceAll(expand(template, c.Values, url.PathEscape), rawMark, c.RawID)
	target := strings.TrimSuffix(base.EscapedPath(), "/") + path
	query := c.Query.Encode()
	for _, name := range sortedKeys(c.Op.Query) {
		if query != "" {
			query += "&"
		}
		query += url.QueryEscape(name) + "=" + url.QueryEscape(expand(c.Op.Query[name], c.Values, nil))
	}
	out := &rendered{
		method: c.Op.Method,
		// A path that starts with two slashes would be read as a host in an opaque URL, hence the full form.
		url:    &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: "//" + base.Host + target, RawQuery: query},
		header: http.Header{},
	}
	for name, value := range c.Op.Header {
		out.header.Set(name, expand(value, c.Values, nil))
	}
	for name, values := range c.Header {
		for _, value := range values {
			out.header.Add(name, value)
		}
	}
	var err error
	if out.body, err = c.renderBody(out.header); err != nil {
		return nil, fmt.Errorf("render %s %s: %w", c.Resource.Name, c.Op.Verb, err)
	}
	return out, nil
}

func (c *Call) renderBody(header http.Header) ([]byte, error) {
	body := c.Op.Body
	setType := func(fallback string) {
		if body.Type != "" {
			fallback = body.Type
		}
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", fallback)
		}
	}
	switch body.Kind {
	case "":
		return nil, nil
	case "json":
		setType("application/json")
		value := c.fill(body.Value)
		if object, ok := value.(map[string]any); ok {
			for name, extra := range c.Extra {
				object[name] = extra
			}
		}
		var buf bytes.Buffer
		encoder := json.NewEncoder(&buf)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(value)
		return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
	case "form":
		setType("application/x-www-form-urlencoded")
		form := url.Values{}
		object, ok := c.fill(body.Value).(map[string]any)
		if !ok {
			return nil, fmt.Errorf("a form body needs a map of templates, not %T", body.Value)
		}
		for name, value := range object {
			form.Set(name, fmt.Sprint(value))
		}
		for name, extra := range c.Extra {
			form.Set(name, fmt.Sprint(extra))
		}
		return []byte(form.Encode()), nil
	case "raw":
		setType("application/octet-stream")
		return []byte(expand(body.Raw, c.Values, nil)), nil
	default:
		return nil, fmt.Errorf("body kind %q is unknown; use json, form or raw", body.Kind)
	}
}

// fill copies a body's value with its templates filled. A string that is nothing but the variable of an integer
// field becomes a JSON number.
func (c *Call) fill(v any) any {
	switch v := v.(type) {
	case string:
		if names := variables(v); len(names) == 1 && v == "{"+names[0]+"}" {
			if f, ok := c.Resource.Field(names[0]); ok && (f.Type == Integer || f.Type == Small) && json.Valid([]byte(c.Values[f.Name])) {
				return json.RawMessage(c.Values[f.Name])
			}
		}
		return expand(v, c.Values, nil)
	case []any:
		out := make([]any, 0, len(v))
		for _, element := range v {
			if element == "{id}" && len(c.IDs) > 0 {
				for _, id := range c.IDs {
					out = append(out, id)
				}
				continue
			}
			out = append(out, c.fill(element))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = c.fill(v[name])
		}
		return out
	case map[string]string:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = c.fill(v[name])
		}
		return out
	default:
		return v
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
