// Package openapi writes an OpenAPI 3.1 document from routes and what is said of each. All that a pattern and a guard tell
// already (paths, parameters, security, refusals) is taken from them, so that nobody can write it down differently.
package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Route is where an operation is found and who may ask for it.
type Route struct {
	Pattern  string   // as http.ServeMux reads it, with a method
	Security string   // a name in Document.Security; empty: everybody, for the reason that Note gives
	Note     string   // who may use it, or why everybody may
	Refuses  []int    // with what whoever stands before it refuses
	Headers  []string // names in Document.Headers of what every success says
}

// Operation is what a route does.
type Operation struct {
	Does    string // in a few words
	Takes   Schema // of the JSON body; nil: none
	Example any    // a body that is accepted
	Bytes   bool   // the body is a file rather than JSON
	Once    bool   // honours Idempotency-Key
	Query   []string
	Header  []string

	Status int    // of success; 0: 200
	Gives  Schema // of its body; nil: none
	Type   string // of its body; empty: application/json
	Also   []int  // other statuses, beside the refusals that follow from the rest
}

// Document is all that there is to say.
type Document struct {
	Title, Version, Description string
	Routes                      []Route
	Operations                  map[string]Operation // by pattern
	Schemas                     map[string]Schema
	Security                    map[string]Schema
	Parameters                  map[string]Schema // that Query and Header name
	Statuses                    map[int]string    // of refusals: what each means
	Problem                     Schema            // the body of every refusal
	Headers                     map[string]Schema // of answers
	Told                        map[int][]string  // by refusals: names in Headers
}

var variable = regexp.MustCompile(`\{(\w+)(\.\.\.)?\}`)

// Path of a pattern as OpenAPI writes it.
func Path(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return strings.ToLower(method), variable.ReplaceAllString(path, "{$1}")
}

// JSON of the document, the same for the same content. A route without an operation is left out.
func (d Document) JSON() ([]byte, error) {
	paths := map[string]Schema{}
	for _, r := range d.Routes {
		if op, ok := d.Operations[r.Pattern]; ok {
			method, path := Path(r.Pattern)
			if paths[path] == nil {
				paths[path] = Schema{}
			}
			paths[path][method] = d.operation(r, op)
		}
	}
	responses := Schema{"default": d.refusal("what went wrong")}
	for status, meaning := range d.Statuses {
		response := d.refusal(meaning)
		if headers := headers(d.Told[status]); headers != nil {
			response["headers"] = headers
		}
		responses[strconv.Itoa(status)] = response
	}
	schemas := maps.Clone(d.Schemas)
	schemas["Problem"] = d.Problem
	return json.MarshalIndent(Schema{
		"openapi": "3.1.0",
		"info":    Schema{"title": d.Title, "version": d.Version, "description": d.Description, "license": Schema{"name": "Apache 2.0", "identifier": "Apache-2.0"}},
		"servers": []Schema{{"url": "/"}},
		"paths":   paths,
		"components": Schema{
			"schemas": schemas, "securitySchemes": d.Security, "parameters": d.Parameters, "responses": responses, "headers": d.Headers,
		},
	}, "", " ")
}

func (d Document) operation(r Route, op Operation) Schema {
	method, path := Path(r.Pattern)
	out := Schema{
		"summary": op.Does, "operationId": identifier(method, path), "tags": []string{tag(path)},
		"security": []Schema{}, "responses": d.responses(r, op),
	}
	if r.Note != "" {
		out["description"] = r.Note
	}
	if r.Security != "" {
		out["security"] = []Schema{{r.Security: []string{}}}
	}
	var parameters []Schema
	for _, v := range variable.FindAllStringSubmatch(r.Pattern, -1) {
		p := Schema{"name": v[1], "in": "path", "required": true, "schema": Schema{"type": "string"}}
		if v[2] != "" {
			p["description"] = "A name that may hold slashes."
		}
		parameters = append(parameters, p)
	}
	for _, name := range slices.Concat(op.Query, op.Header) {
		parameters = append(parameters, Schema{"$ref": "#/components/parameters/" + name})
	}
	if op.Once {
		parameters = append(parameters, Schema{"$ref": "#/components/parameters/Idempotency-Key"})
	}
	if parameters != nil {
		out["parameters"] = parameters
	}
	if op.Takes != nil {
		content := Schema{"schema": op.Takes}
		if op.Example != nil {
			content["example"] = op.Example
		}
		out["requestBody"] = Schema{"required": true, "content": Schema{"application/json": content}}
	}
	if op.Bytes {
		out["requestBody"] = Schema{"required": true, "content": Schema{"application/octet-stream": Schema{}}}
	}
	return out
}

func (d Document) responses(r Route, op Operation) Schema {
	status := op.Status
	if status == 0 {
		status = http.StatusOK
	}
	success := Schema{"description": http.StatusText(status)}
	if headers := headers(r.Headers); headers != nil {
		success["headers"] = headers
	}
	if op.Gives != nil {
		kind := op.Type
		if kind == "" {
			kind = "application/json"
		}
		success["content"] = Schema{kind: Schema{"schema": op.Gives}}
	}
	out := Schema{strconv.Itoa(status): success, "default": Schema{"$ref": "#/components/responses/default"}}
	refusals := slices.Concat(op.Also, r.Refuses)
	if op.Takes != nil {
		refusals = append(refusals, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if len(op.Query) > 0 {
		refusals = append(refusals, http.StatusBadRequest)
	}
	if variable.MatchString(r.Pattern) {
		refusals = append(refusals, http.StatusNotFound)
	}
	if op.Once {
		refusals = append(refusals, http.StatusConflict, http.StatusUnprocessableEntity)
	}
	for _, status := range refusals {
		code := strconv.Itoa(status)
		if _, known := d.Statuses[status]; known {
			out[code] = Schema{"$ref": "#/components/responses/" + code}
		} else {
			out[code] = Schema{"description": http.StatusText(status)}
		}
	}
	return out
}

// headers refers to what answers say, nil where they say nothing.
func headers(names []string) Schema {
	if len(names) == 0 {
		return nil
	}
	out := Schema{}
	for _, name := range names {
		out[name] = Schema{"$ref": "#/components/headers/" + name}
	}
	return out
}

func (d Document) refusal(meaning string) Schema {
	return Schema{"description": meaning, "content": Schema{"application/problem+json": Schema{"schema": Ref("Problem")}}}
}

// identifier is a name for generated clients, for example getV1DocumentsId.
func identifier(method, path string) string {
	var b strings.Builder
	b.WriteString(method)
	for _, word := range regexp.MustCompile(`\w+`).FindAllString(path, -1) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// tag is the collection that a path begins with.
func tag(path string) string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	if len(segments) > 1 {
		return segments[1]
	}
	return segments[0]
}

// Undescribed says what to add for the routes that have no operation, and which operations have no route.
func (d Document) Undescribed() (complaints []string) {
	known := map[string]bool{}
	for _, r := range d.Routes {
		known[r.Pattern] = true
		if op, ok := d.Operations[r.Pattern]; !ok || op.Does == "" {
			complaints = append(complaints, fmt.Sprintf("the route %q is not documented; add to a list of operations: %q: {Does: ..., Takes: ..., Example: ..., Gives: ...}",
				r.Pattern, r.Pattern))
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(d.Operations)) {
		if !known[pattern] {
			complaints = append(complaints, fmt.Sprintf("the operation %q is documented and has no route; remove it", pattern))
		}
	}
	return complaints
}
