// Package specimen holds four small services that real applications resemble, each in a correct and in a broken version.
// A Surface must be able to describe all four as data, and scenarios must hold on the one and be breached on the other:
// that is how the engine is proven before the reference service relies on it.
//
//   - [Envelope]: every answer is 200; success and denial stand in the body. Ids travel in the body too.
//   - [Nested]: two ids in a path, and a reference to a third object in the body.
//   - [Upload]: raw uploads to paths that the client chooses, and deletes in batches only.
//   - [Pages]: form login, cookies, CSRF tokens, redirects to the login, ids in HTML.
package specimen

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/partywall/partywall/harness"
)

// A Specimen is one service with its description.
type Specimen struct {
	Name    string
	Handler http.Handler
	Surface harness.Surface
	// Provision makes a tenant.
	Provision func(ctx context.Context, client *http.Client, url, name string) (harness.Tenant, error)
}

// All four, correct or broken.
func All(broken bool) []Specimen {
	return []Specimen{Envelope(broken), Nested(broken), Upload(broken), Pages(broken)}
}

// An object of any of the services.
type object struct {
	tenant string
	fields map[string]string
}

// state is what the services keep, and their two ways of asking whose it is.
type state struct {
	mu      sync.Mutex
	broken  bool
	tokens  map[string]string // to tenant
	objects map[string]*object
	next    int
}

func newState(broken bool) *state {
	return &state{broken: broken, tokens: map[string]string{}, objects: map[string]*object{}}
}

// enroll makes a tenant, and returns its id and token.
func (s *state) enroll(name string) (id, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, token = name+"-"+strings.ToLower(rand.Text()[:6]), rand.Text()
	s.tokens[token] = id
	return id, token
}

// who is signed in, by bearer token.
func (s *state) who(r *http.Request) string {
	return s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
}

// find looks an object up. The broken version forgets to ask whose it is.
func (s *state) find(tenant, id string) *object {
	o := s.objects[id]
	if o == nil || o.tenant != tenant && !s.broken {
		return nil
	}
	return o
}

func (s *state) add(tenant string, fields map[string]string) string {
	s.next++
	id := fmt.Sprint(s.next)
	s.objects[id] = &object{tenant, fields}
	return id
}

// bearers provisions tenants that sign in with a bearer token.
func bearers(s *state) func(context.Context, *http.Client, string, string) (harness.Tenant, error) {
	return func(_ context.Context, _ *http.Client, _, name string) (harness.Tenant, error) {
		id, token := s.enroll(name)
		return harness.Tenant{ID: id, Name: name, Principals: []harness.Principal{{Name: "alice", Credential: harness.Bearer(token)}}}, nil
	}
}
