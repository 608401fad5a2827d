package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Values binds the variables of an operation's templates.
type Values map[string]string

// with copies the values and binds one more.
func (v Values) with(name, value string) Values {
	out := maps.Clone(v)
	out[name] = value
	return out
}

// nextVariable cuts a template at its first variable, "{name}" or "{name...}". ok is false when there is none: then before is
// the whole template. Braces around anything else are text, as in a body that is JSON.
func nextVariable(template string) (before, name, rest string, ok bool) {
	for from := 0; ; {
		open := strings.IndexByte(template[from:], '{')
		if open < 0 {
			return template, "", "", false
		}
		open += from
		end := open + 1
		for end < len(template) && isNameByte(template[end], end == open+1) {
			end++
		}
		if end > open+1 && end < len(template) && template[end] == '}' {
			return template[:open], template[open+1 : end], template[end+1:], true
		}
		from = open + 1
	}
}

func isNameByte(b byte, first bool) bool {
	letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
	return letter || !first && (b >= '0' && b <= '9' || b == '.' || b == '-')
}

// keepsSlashes is the end of a variable's name whose value is escaped segment by segment.
const keepsSlashes = "..."

// linkVariable is a piece of a URL already; grantVariable is the id by which a link is revoked.
const (
	linkVariable  = "link"
	grantVariable = "grant"
)

// variables lists the names in a template.
func variables(template string) []string {
	var names []string
	for {
		_, name, rest, ok := nextVariable(template)
		if !ok {
			return names
		}
		names = append(names, strings.TrimSuffix(name, keepsSlashes))
		template = rest
	}
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
	before, name, rest, ok := nextVariable(template)
	if !ok {
		return template
	}
	var out strings.Builder
	for ; ok; before, name, rest, ok = nextVariable(rest) {
		out.WriteString(before)
		name, keeps := strings.CutSuffix(name, keepsSlashes)
		value := values[name]
		switch {
		case escape == nil || name == linkVariable:
			out.WriteString(value)
		case !keeps:
			out.WriteString(escape(value))
		default:
			for i, segment := range strings.Split(value, "/") {
				if i > 0 {
					out.WriteByte('/')
				}
				out.WriteString(escape(segment))
			}
		}
	}
	out.WriteString(before)
	return out.String()
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
	// Address stands in place of the base URL and the path of the operation: a URL that the service handed out.
	Address string
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
	// listen is for how long an answer without an end is read; 0: until its end.
	listen time.Duration
	// secrets say where the answer holds what must not be recorded.
	secrets []Locator
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
		method: c.Op.Method, secrets: c.Op.Secrets, listen: time.Duration(c.Op.Listen) * time.Millisecond,
		url:    &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: target, RawQuery: query},
		header: http.Header{},
	}
	if c.Address != "" {
		to, err := url.Parse(c.Address)
		if err != nil {
			return nil, fmt.Errorf("read the address that the service handed out: %w", err)
		}
		base, target = to, to.EscapedPath()
		out.url = &url.URL{Scheme: to.Scheme, Host: to.Host, Opaque: target, RawQuery: to.RawQuery}
	}
	if strings.HasPrefix(target, "//") {
		// It would be taken for a host: the request goes out in absolute form, which servers must understand too.
		out.url.Opaque = "//" + base.Host + target
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
