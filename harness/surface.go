package harness

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Surface describes, as plain data, what a service offers to its clients: enough to create objects, to reach them
// as their owner, and to bend those requests. It never says what is allowed; the scenarios claim that.
type Surface struct {
	// BaseURL is where paths of operations are resolved against, for example http://127.0.0.1:8080.
	BaseURL string `json:"base_url"`
	// Hosts are the hosts ("name:port") beyond loopback that requests may go to, that of BaseURL included.
	Hosts []string `json:"hosts,omitempty"`
	// Resources in the order in which they can be created: parents first.
	Resources []Resource `json:"resources"`
	// Selectors are the ways in which a client of this service can name a tenant. Scenarios add the usual ones.
	Selectors []Selector `json:"selectors,omitempty"`
	// KeySet is the path of the published JSON Web Key Set, if there is one.
	KeySet string `json:"key_set,omitempty"`
	// Export is how a tenant has all that it owns written into a file: create asks for one, read says whether it is done, download
	// fetches it. It is none of the resources because each one is work for the service.
	Export *Resource `json:"export,omitempty"`
	// Stored is how a tenant on a tier that is marked so has the object store itself hand out a file: link asks for the URL. The host of
	// the store is one of Hosts, also where it is loopback.
	Stored *Resource `json:"stored,omitempty"`
	// Tiers that scenarios about limits may ask a Tiered target for: small ones, so that a limit is soon reached.
	Tiers []Tier `json:"tiers,omitempty"`
}

// Selector is a place in a request that may name a tenant.
type Selector struct {
	In   Place  `json:"in"`
	Name string `json:"name"`
	// Attribute of the tenant that the place holds: "id" or "name". Empty tries both.
	Attribute string `json:"attribute,omitempty"`
}

// Place is a part of a request.
type Place string

// The places of a request that can carry an id or name a tenant.
const (
	InPath   Place = "path"
	InQuery  Place = "query"
	InHeader Place = "header"
	InBody   Place = "body"
)

// Verb names what an operation means, independent of its HTTP method.
type Verb string

// The verbs that scenarios know. A surface may use further ones that begin with "x-"; no scenario attacks them by name.
const (
	Create Verb = "create"
	Read   Verb = "read"
	List   Verb = "list"
	Search Verb = "search"
	Update Verb = "update"
	Patch  Verb = "patch"
	Delete Verb = "delete"
	Batch  Verb = "batch-delete"
	Link   Verb = "link" // hands out a URL that needs no login; see Operation.Link
	// BatchRead fetches several objects at once; Copy makes a new object of one; Trash lists what was deleted and can be had back, and
	// Restore has it back.
	BatchRead Verb = "batch-read"
	Copy      Verb = "copy"
	Trash     Verb = "trash"
	Restore   Verb = "restore"
	// Follow listens to what happens, for as long as Operation.Listen says. Revoke takes back what Link gave: see Operation.Grant.
	Follow Verb = "follow"
	Revoke Verb = "revoke"
	// Download fetches a file that the service made.
	Download Verb = "download"
	Open     Verb = "open" // uses it: "{link}" in its path is that URL, without the host and the slash before it
)

// shows tells whether an owner who succeeds with the verb is answered with something of its own.
func (v Verb) shows() bool {
	return slices.Contains([]Verb{Read, List, Search, Open, BatchRead, Copy, Trash, Restore, Follow}, v)
}

// writes tells whether the verb leaves values in the service.
func (v Verb) writes() bool { return v == Create || v == Update || v == Patch }

// A Resource is a kind of object that tenants own.
type Resource struct {
	Name string `json:"name"`
	// Parents name the resources whose object must exist first; "{parent}" in a template is that object's id.
	Parents []string `json:"parents,omitempty"`
	// Chosen is the template of an id that the client chooses, such as "notes/{unique}.txt". Empty when the service
	// makes the ids.
	Chosen string `json:"chosen,omitempty"`
	// ID says where the answer to a create holds the id that the service made.
	ID Locator `json:"id,omitzero"`
	// Fields that a create fills. Each carries a canary of its own unless its type is too small for one.
	Fields     []Field     `json:"fields,omitempty"`
	Operations []Operation `json:"operations"`
	// Trail: these are not made by clients. The service writes one for what is done to others, in the list of the resource, and nobody
	// changes it afterwards.
	Trail bool `json:"trail,omitempty"`
	// Public is the reason why everybody may see these objects. A public resource is not attacked.
	Public string `json:"public,omitempty"`
}

// Operation finds the first operation with the verb.
func (r *Resource) Operation(v Verb) (*Operation, bool) {
	for i := range r.Operations {
		if r.Operations[i].Verb == v {
			return &r.Operations[i], true
		}
	}
	return nil, false
}

// Field finds a field by name.
func (r *Resource) Field(name string) (Field, bool) {
	i := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return r.Fields[i], true
}

// Field is a value that a create or an update fills.
type Field struct {
	Name string    `json:"name"`
	Type FieldType `json:"type,omitempty"`
	// Unique: the service refuses a second object of one tenant with the same value.
	Unique bool `json:"unique,omitempty"`
	// Refers names the resource whose id the field holds: a foreign key. It carries no canary.
	Refers string `json:"refers,omitempty"`
	// Fixed is the value of a field that must hold just this. It carries no canary.
	Fixed string `json:"fixed,omitempty"`
}

// FieldType decides the form of a canary. The zero value is text.
type FieldType string

// The types a field can have.
const (
	Text    FieldType = ""
	Integer FieldType = "integer" // 53 random bits; matched only as a whole JSON number
	Small   FieldType = "small"   // a boolean, an enum, a date: too small for a canary; needs Fixed
)

// Operation is one request that a resource understands. Path, Query, Header and Body are templates: "{id}" is the id
// of the object itself, "{projects}" the id of its parent, "{title}" the value of a field, "{tenant.id}" and
// "{tenant.name}" are attributes of the tenant who acts. What is put into a path is escaped; what is put into a path
// through "{id...}" keeps its slashes, and "{link}" is put there byte for byte.
type Operation struct {
	Verb   Verb              `json:"verb"`
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Query  map[string]string `json:"query,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   Body              `json:"body,omitzero"`
	// Success says what success is. The zero value: any 2xx.
	Success Success `json:"success,omitzero"`
	// Items says where the ids of a list are found. Optional: the canary judge needs no ids.
	Items Locator `json:"items,omitzero"`
	// Link says where the answer holds the URL that was asked for.
	Link Locator `json:"link,omitzero"`
	// Grant says where the answer to a link holds the id by which it can be revoked: "{grant}" in the templates of Revoke.
	Grant Locator `json:"grant,omitzero"`
	// Listen is for how many milliseconds an answer that does not end is read.
	Listen int `json:"listen_ms,omitempty"`
	// Secrets say where the answer holds what must not be kept, such as a key that is shown once: evidence shows a placeholder,
	// here and wherever the value turns up later.
	Secrets []Locator `json:"secrets,omitempty"`
}

// Body is the template of a request's body.
type Body struct {
	// Kind: "", "json", "form", "raw".
	Kind string `json:"kind,omitempty"`
	// Value of a JSON body: maps, slices and strings that are templates. Of a form: a map of strings.
	Value any `json:"value,omitempty"`
	// Raw is the template of a raw body, Type its content type.
	Raw  string `json:"raw,omitempty"`
	Type string `json:"type,omitempty"`
}

// Success is what tells a success from a denial. All parts that are set must agree.
type Success struct {
	// Status lists the statuses of success. Empty: any 2xx.
	Status []int `json:"status,omitempty"`
	// Pointer (RFC 6901) into a JSON body that must exist; where Equals is set it must hold that value.
	Pointer string `json:"pointer,omitempty"`
	Equals  string `json:"equals,omitempty"`
	// Absent is a JSON pointer that must not exist, or must hold null.
	Absent string `json:"absent,omitempty"`
	// Body and NotBody are regular expressions that the body must and must not match.
	Body    string `json:"body,omitempty"`
	NotBody string `json:"not_body,omitempty"`
	// Header and HeaderMatch: the named header must match the regular expression.
	Header      string `json:"header,omitempty"`
	HeaderMatch string `json:"header_match,omitempty"`
}

// Locator says where an answer holds an id. Pattern's first group, or its whole match, is the id; without a pattern
// the whole value is. One of Pointer, Header and Pattern must be set; Pattern alone searches the body.
type Locator struct {
	Pointer string `json:"pointer,omitempty"`
	Header  string `json:"header,omitempty"`
	Pattern string `json:"pattern,omitempty"`
}

// Slot is a place in an operation's templates that holds the id of an object.
type Slot struct {
	Variable string // as it stands in the template: "id", a parent's or a field's name
	Resource string // what the id belongs to
	In       Place
}

// Slots lists the places of an operation that hold ids: of the object itself, of its parents, and of other objects
// that its fields refer to.
func (r *Resource) Slots(op *Operation) []Slot {
	var slots []Slot
	add := func(in Place, template string) {
		for _, name := range variables(template) {
			owner := ""
			switch field, ok := r.Field(name); {
			case name == "id":
				owner = r.Name
			case slices.Contains(r.Parents, name):
				owner = name
			case ok && field.Refers != "":
				owner = field.Refers
			}
			if owner != "" {
				slots = append(slots, Slot{Variable: name, Resource: owner, In: in})
			}
		}
	}
	add(InPath, op.Path)
	for _, v := range op.Query {
		add(InQuery, v)
	}
	for _, v := range op.Header {
		add(InHeader, v)
	}
	add(InBody, op.Body.Raw)
	walkStrings(op.Body.Value, func(s string) { add(InBody, s) })
	return slots
}

// Resource finds a resource by name.
func (s *Surface) Resource(name string) (*Resource, bool) {
	for i := range s.Resources {
		if s.Resources[i].Name == name {
			return &s.Resources[i], true
		}
	}
	return nil, false
}

// leans names the resource and all that it cannot be without: its parents, what its fields refer to, and what these lean on.
func (s *Surface) leans(r *Resource) map[string]bool {
	out := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		lower, ok := s.Resource(name)
		if !ok || out[name] {
			return
		}
		out[name] = true
		for _, p := range lower.Parents {
			add(p)
		}
		for _, f := range lower.Fields {
			add(f.Refers)
		}
	}
	add(r.Name)
	return out
}

// ErrSurface is wrapped by every error that Validate returns.
var ErrSurface = fmt.Errorf("surface cannot be used")

// Validate checks a surface before anything is sent, and names the first thing that is wrong with it.
func (s *Surface) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrSurface}, args...)...)
	}
	base, err := url.Parse(s.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return bad("base_url %q is no http or https URL with a host", s.BaseURL)
	}
	if len(s.Resources) == 0 {
		return bad("it describes no resource; add at least one")
	}
	if err := s.words(); err != nil {
		return bad("%w", err)
	}
	for _, t := range s.Tiers {
		if err := t.check(s); err != nil {
			return bad("%w", err)
		}
	}
	seen := map[string]bool{}
	for i := range s.Resources {
		r := &s.Resources[i]
		if r.Name == "" || strings.ContainsAny(r.Name, "/ {}") {
			return bad("resource %d has the name %q; give it a plain word", i+1, r.Name)
		}
		if seen[r.Name] {
			return bad("resource %s is described twice", r.Name)
		}
		for _, p := range r.Parents {
			if !seen[p] {
				return bad("resource %s has the parent %q, which is not described before it", r.Name, p)
			}
		}
		seen[r.Name] = true
		if err := r.validate(s); err != nil {
			return bad("resource %s: %w", r.Name, err)
		}
	}
	if r := s.Export; r != nil {
		if err := r.validate(s); err != nil {
			return bad("the export: %w", err)
		}
	}
	if r := s.Stored; r != nil {
		if err := r.validate(s); err != nil {
			return bad("what is stored: %w", err)
		}
	}
	return nil
}

func (r *Resource) validate(s *Surface) error {
	if len(r.Operations) == 0 {
		return fmt.Errorf("it has no operation; describe at least how it is read or listed")
	}
	for _, f := range r.Fields {
		if _, known := s.Resource(f.Refers); f.Refers != "" && !known {
			return fmt.Errorf("field %s refers to %q, which is not described", f.Name, f.Refers)
		}
		if f.Type == Small && f.Fixed == "" {
			return fmt.Errorf("field %s is too small for a canary and needs a fixed value", f.Name)
		}
	}
	described := map[Verb]bool{}
	for i := range r.Operations {
		op := &r.Operations[i]
		if op.Verb == "" || op.Method == "" || !strings.HasPrefix(op.Path, "/") {
			return fmt.Errorf("operation %d needs a verb, a method and a path that begins with /", i+1)
		}
		if described[op.Verb] {
			return fmt.Errorf("operation %s is described twice", op.Verb)
		}
		described[op.Verb] = true
		patterns := []string{op.Success.Body, op.Success.NotBody, op.Success.HeaderMatch, op.Items.Pattern, op.Link.Pattern, op.Grant.Pattern}
		for _, l := range op.Secrets {
			patterns = append(patterns, l.Pattern)
		}
		for _, pattern := range patterns {
			if _, err := regexp.Compile(pattern); err != nil {
				return fmt.Errorf("operation %s: %q is no regular expression", op.Verb, pattern)
			}
		}
		if op.Verb == Follow && op.Listen <= 0 {
			return fmt.Errorf("say for how many milliseconds its follow is listened to")
		}
		if op.Verb == Link && op.Link == (Locator{}) {
			return fmt.Errorf("say where the answer to its link holds the URL")
		}
		for _, name := range r.unknownVariables(op) {
			return fmt.Errorf("operation %s uses {%s}, which is no field, no parent, and neither id nor tenant.*", op.Verb, name)
		}
	}
	if _, err := regexp.Compile(r.ID.Pattern); err != nil {
		return fmt.Errorf("id pattern %q is no regular expression", r.ID.Pattern)
	}
	if _, creates := r.Operation(Create); creates && r.Chosen == "" && r.ID == (Locator{}) {
		return fmt.Errorf("say where the answer to its create holds the id")
	}
	return r.words()
}

func (r *Resource) unknownVariables(op *Operation) (unknown []string) {
	check := func(template string) {
		for _, name := range variables(template) {
			_, isField := r.Field(name)
			if name != "id" && !isField && !slices.Contains(r.Parents, name) && name != "tenant.id" && name != "tenant.name" && name != "query" && name != linkVariable && name != grantVariable {
				unknown = append(unknown, name)
			}
		}
	}
	check(op.Path)
	for _, v := range op.Query {
		check(v)
	}
	for _, v := range op.Header {
		check(v)
	}
	check(op.Body.Raw)
	walkStrings(op.Body.Value, check)
	return unknown
}
