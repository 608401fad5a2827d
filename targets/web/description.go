// Package web attacks a service over HTTP that a target file describes: a small, strict YAML.
//
// The file holds a [harness.Surface] in its top level, and beside it how to come by tenants: either accounts that exist
// (tenants), or the requests that make one (provision) and end one (delete). ${NAME} stands for a variable of the
// environment, so that no secret need be in the file; {name} for a value of the run. An unknown key, an unset variable
// or a half-described resource is an error with its line, before anything is sent. See targets/examples.
package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/partywall/partywall/harness"
)

// ErrFile is wrapped by every error about a target file.
var ErrFile = errors.New("the target file cannot be used")

// Description is a target file.
type Description struct {
	Version int    `json:"version"` // 1
	Name    string `json:"name"`
	harness.Surface
	Tenants   []Account  `json:"tenants,omitempty"`
	Provision *Provision `json:"provision,omitempty"`
	Delete    []Step     `json:"delete,omitempty"`

	secrets map[string]string // what came from the environment, to the name it came by
}

// Account is a tenant that exists already. Its objects survive the run; what the run creates is removed.
type Account struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Principals []Principal `json:"principals"`
}

// Principal acts for a tenant with a credential. The first one of a tenant owns what is created.
type Principal struct {
	Name       string     `json:"name"`
	Role       string     `json:"role,omitempty"`
	Credential Credential `json:"credential"`
}

// Credential is exactly one of its members.
type Credential struct {
	Bearer string  `json:"bearer,omitempty"`
	Header *Header `json:"header,omitempty"`
	Cookie string  `json:"cookie,omitempty"` // "name=value; other=value"
	Basic  *Basic  `json:"basic,omitempty"`
}

// Header is an API key in a header.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Basic is a user name and a password.
type Basic struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// Provision makes a tenant by requests. "{name}" is the name that the harness wishes for, "{unique}" a random word; what
// a step captures can be used from the next one on.
type Provision struct {
	Steps      []Step      `json:"steps"`
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Principals []Principal `json:"principals"`
}

// Step is one request that must answer with a 2xx.
type Step struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Header  map[string]string `json:"header,omitempty"`
	JSON    any               `json:"json,omitempty"`
	Capture map[string]string `json:"capture,omitempty"` // variable to JSON pointer
}

// Load reads and checks a target file.
func Load(path string, lookup func(string) (string, bool)) (*Description, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	d, err := Parse(data, lookup)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFile, path, err)
	}
	return d, nil
}

// Parse reads and checks the text of a target file.
func Parse(data []byte, lookup func(string) (string, bool)) (*Description, error) {
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it is empty")
		}
		return nil, fmt.Errorf("it is no YAML: %w", err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one YAML document")
	}
	found := map[string]string{}
	if err := environment(&root, lookup, found); err != nil {
		return nil, err
	}
	var tree any
	if err := root.Decode(&tree); err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), "\n", ""))
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, errors.New("its keys must be words")
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	d := &Description{}
	if err := strict.Decode(d); err != nil {
		return nil, explain(err, &root)
	}
	d.normalize()
	d.secrets = found
	maps.DeleteFunc(d.secrets, func(value, _ string) bool { return d.public(value) })
	return d, d.check()
}

// normalize takes "text" for what it is: the type of a field without one.
func (d *Description) normalize() {
	for i := range d.Resources {
		for k, f := range d.Resources[i].Fields {
			if f.Type == "text" {
				d.Resources[i].Fields[k].Type = harness.Text
			}
		}
	}
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// public tells whether a value of the environment is no secret: it is where the service is, or what a tenant is called.
func (d *Description) public(value string) bool {
	names := append([]string{d.BaseURL, d.Name}, d.Hosts...)
	for _, t := range d.Tenants {
		names = append(names, t.ID, t.Name)
	}
	return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, value) })
}

// environment fills ${NAME} in every value, and notes what it filled in.
func environment(n *yaml.Node, lookup func(string) (string, bool), found map[string]string) error {
	if n.Kind == yaml.ScalarNode {
		for _, m := range variable.FindAllStringSubmatch(n.Value, -1) {
			value, ok := lookup(m[1])
			if !ok {
				return fmt.Errorf("line %d: ${%s} is not set; set it in the environment", n.Line, m[1])
			}
			n.Value = strings.ReplaceAll(n.Value, m[0], value)
			found[value] = "<" + m[1] + ">"
			n.Tag = "!!str" // a value from outside never becomes a number or a null
		}
		return nil
	}
	for _, child := range n.Content {
		if err := environment(child, lookup, found); err != nil {
			return err
		}
	}
	return nil
}

// explain finds the line that a decoding error is about.
func explain(err error, root *yaml.Node) error {
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		name = strings.Trim(name, `"`)
		return fmt.Errorf("line %d: the key %q is unknown", lineOf(root, name), name)
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		name := wrong.Field[strings.LastIndex(wrong.Field, ".")+1:]
		return fmt.Errorf("line %d: %s cannot be a %s", lineOf(root, name), wrong.Field, wrong.Value)
	}
	return err
}

func lineOf(n *yaml.Node, key string) int {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i].Line
			}
		}
	}
	for _, child := range n.Content {
		if line := lineOf(child, key); line > 0 {
			return line
		}
	}
	return 0
}

func (d *Description) check() error {
	if d.Version != 1 {
		return fmt.Errorf("version is %d; this program reads version 1", d.Version)
	}
	if d.Name == "" {
		return errors.New("give it a name")
	}
	if err := d.Validate(); err != nil {
		return err
	}
	people := [][]Principal{}
	switch {
	case d.Provision != nil && len(d.Tenants) > 0:
		return errors.New("describe tenants or provision, not both")
	case d.Provision != nil:
		if len(d.Provision.Steps) == 0 || d.Provision.ID == "" {
			return errors.New("provision needs steps and an id")
		}
		people = append(people, d.Provision.Principals)
		for _, step := range append(d.Provision.Steps, d.Delete...) {
			if step.Method == "" || !strings.HasPrefix(step.Path, "/") {
				return errors.New("a step needs a method, and a path that begins with /")
			}
		}
	case len(d.Tenants) < 2:
		return errors.New("describe at least two tenants, or how to provision them; one tenant has no neighbour")
	default:
		if len(d.Delete) > 0 {
			return errors.New("borrowed tenants are never deleted; remove delete")
		}
		for _, t := range d.Tenants {
			if t.ID == "" {
				return errors.New("a tenant needs an id")
			}
			people = append(people, t.Principals)
		}
	}
	for _, principals := range people {
		if len(principals) == 0 {
			return errors.New("every tenant needs a principal")
		}
		for _, p := range principals {
			if p.Name == "" || p.Credential.count() != 1 {
				return errors.New("a principal needs a name and one credential: bearer, header, cookie or basic")
			}
		}
	}
	return d.distinct()
}

// distinct tells whether accounts are as many as they seem. Who attacks a tenant as itself finds nothing but its own.
func (d *Description) distinct() error {
	for i, b := range d.Tenants {
		for _, a := range d.Tenants[:i] {
			if a.ID == b.ID {
				return fmt.Errorf("two tenants have the id %q; describe two that are neighbours", a.ID)
			}
			for _, p := range a.Principals {
				if slices.ContainsFunc(b.Principals, func(q Principal) bool { return reflect.DeepEqual(p.Credential, q.Credential) }) {
					return fmt.Errorf("the tenants %s and %s sign in with the same credential; describe two that are neighbours", a.ID, b.ID)
				}
			}
		}
	}
	return nil
}

func (c Credential) count() (n int) {
	for _, set := range []bool{c.Bearer != "", c.Header != nil, c.Cookie != "", c.Basic != nil} {
		if set {
			n++
		}
	}
	return n
}
