package partywalltest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/partywalltest"
)

// notes keeps notes of tenants. Whoever knows the id of a note may read it: that is its mistake.
type notes struct {
	mu      sync.Mutex
	tenants map[string]string // by token
	notes   map[string]note   // by id
}

type note struct{ tenant, text string }

// admit makes a tenant and signs its first user in.
func (n *notes) admit(name string) (id, token string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id = fmt.Sprintf("%s-%d", name, len(n.tenants)+1)
	token = "token of " + id
	n.tenants[token] = id
	return id, token
}

func (n *notes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	tenant := n.tenants[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if tenant == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/notes/")
	found, ok := n.notes[id]
	switch {
	case r.Method == http.MethodPost:
		var in struct{ Text string }
		_ = json.NewDecoder(r.Body).Decode(&in) // what is no JSON has no text
		id = fmt.Sprintf("note-%d", len(n.notes)+1)
		n.notes[id] = note{tenant, in.Text}
		_ = json.NewEncoder(w).Encode(map[string]string{"id": id})
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet: // and nobody asks whose it is
		_ = json.NewEncoder(w).Encode(map[string]string{"id": id, "text": found.text})
	case r.Method == http.MethodDelete && found.tenant == tenant:
		n.notes[id] = note{} // ids are never used again
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// A test of a service of your own says what the service offers and how a tenant is made, and attacks:
//
//	func TestIsolation(t *testing.T) {
//		partywalltest.Handler(t, service, config)
//	}
//
// Here a printer stands for the test.
func Example() {
	service := &notes{tenants: map[string]string{}, notes: map[string]note{}}
	config := partywalltest.Config{
		Surface: harness.Surface{Resources: []harness.Resource{{
			Name:   "notes",
			ID:     harness.Locator{Pointer: "/id"},
			Fields: []harness.Field{{Name: "text"}},
			Operations: []harness.Operation{
				{Verb: harness.Create, Method: "POST", Path: "/notes", Body: harness.Body{Kind: "json", Value: map[string]any{"text": "{text}"}}},
				{Verb: harness.Read, Method: "GET", Path: "/notes/{id}"},
				{Verb: harness.Delete, Method: "DELETE", Path: "/notes/{id}"},
			},
		}}},
		Provision: func(_ context.Context, _ *http.Client, _, name string) (harness.Tenant, error) {
			id, token := service.admit(name)
			return harness.Tenant{ID: id, Name: name, Principals: []harness.Principal{{Name: "alice", Credential: harness.Bearer(token)}}}, nil
		},
		Scenarios: []string{"idor/delete", "idor/list", "idor/read"},
	}
	partywalltest.HandlerT(&printer{name: "TestIsolation"}, service, config)
	// Output:
	// pass TestIsolation/idor/delete/notes
	// skip TestIsolation/idor/list/notes: notes has no operation to list or search
	// FAIL TestIsolation/idor/read/notes: a.alice received the text of the victim's notes
}

// printer is a T that prints the outcome of every test without subtests.
type printer struct {
	name    string
	outcome string
	parent  bool
}

type over struct{}

func (p *printer) Name() string              { return p.name }
func (p *printer) Context() context.Context  { return context.Background() }
func (p *printer) Helper()                   {}
func (p *printer) Logf(string, ...any)       {}
func (p *printer) Errorf(f string, a ...any) { p.outcome = "FAIL " + p.name + ": " + first(f, a) }
func (p *printer) Skipf(f string, a ...any) {
	p.outcome = "skip " + p.name + ": " + first(f, a)
	panic(over{})
}
func (p *printer) Fatalf(f string, a ...any) { p.Errorf(f, a...); panic(over{}) }

// Run runs a subtest.
func (p *printer) Run(name string, test func(partywalltest.T)) bool {
	p.parent = true
	child := &printer{name: p.name + "/" + name}
	child.outcome = "pass " + child.name
	defer func() {
		if r := recover(); r != nil && r != any(over{}) {
			panic(r)
		}
		if !child.parent {
			fmt.Println(child.outcome)
		}
	}()
	test(child)
	return true
}

// first is the first line of a message.
func first(format string, args []any) string {
	line, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	return strings.TrimPrefix(line, "breached: ")
}
