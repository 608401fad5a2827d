package reference_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
)

// regexpID finds the first id in an answer.
var regexpID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// A walk is what a neighbour asks for again and again, in this order: what needs each of the engines, alone and with others.
var walk = []struct{ method, path, body, needs string }{
	{"POST", "/v1/documents", `{"slug":"$n","title":"$secret","body":"$secret"}`, "Postgres"},
	{"GET", "/v1/documents", "", "Postgres"},
	{"GET", "/v1/documents/$document", "", "Postgres"},
	{"GET", "/v1/preferences/x", "", ""}, // from the cache, or from the table
	{"PUT", "/v1/preferences/y", `{"value":"$secret"}`, "Redis"},
	{"PUT", "/v1/files/x", "$secret", "S3"},
	{"GET", "/v1/files/x", "", "S3"},
	{"GET", "/v1/whoami", "", "Redis"}, // its tier has limits
}

// traffic is what neighbours do at once while engines fail. All of them are on tiers with limits.
type traffic struct {
	*service
	secrets []string

	mu      sync.Mutex
	served  map[string]int // by neighbour and step of the walk
	refused map[string]int
}

// flow has each tenant walk, until the test ends.
func (s *service) flow() *traffic {
	f := &traffic{service: s, served: map[string]int{}, refused: map[string]int{}}
	ctx, stop := context.WithCancel(s.t.Context())
	var walking sync.WaitGroup
	s.t.Cleanup(func() { stop(); walking.Wait() })
	for _, name := range []string{"acme", "globex"} {
		secret, token := "secret"+rand.Text(), s.admitTo(name, "enterprise")
		f.secrets = append(f.secrets, secret)
		document := ""
		for i, made := range []struct {
			status             int
			method, path, body string
		}{
			{201, "POST", "/v1/documents", `{"slug":"first","title":"` + secret + `","body":"` + secret + `"}`},
			{200, "PUT", "/v1/preferences/x", `{"value":"` + secret + `"}`},
			{204, "PUT", "/v1/files/x", secret},
		} {
			s.until("it is made", func() bool { // a machine that is busy may take longer than the patience
				status, answer := s.do(token, made.method, made.path, made.body)
				if status != made.status && status != 503 {
					s.t.Fatalf("%s %s answers %d %s", made.method, made.path, status, answer)
				}
				if i == 0 && status == 201 {
					document = regexpID.FindString(answer)
				}
				return status == made.status
			})
		}
		walking.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				words := strings.NewReplacer("$secret", secret, "$n", fmt.Sprint("n", n), "$document", document)
				for i := range walk {
					f.step(ctx, i, secret, token, words)
				}
			}
		})
	}
	return f
}

// step wants an answer that is one's own, or an honest refusal.
func (f *traffic) step(ctx context.Context, i int, secret, token string, words *strings.Replacer) {
	call := walk[i]
	header := http.Header{"Content-Type": {"application/json"}}
	began := time.Now()
	status, answered, text, err := f.tryRaw(token, call.method, words.Replace(call.path), header, words.Replace(call.body))
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	at := fmt.Sprint(secret, i)
	switch {
	case err != nil:
		f.t.Errorf("%s %s: %v after %s", call.method, call.path, err, time.Since(began))
	case slices.ContainsFunc(f.secrets, func(s string) bool { return s != secret && strings.Contains(text, s) }):
		f.t.Errorf("%s %s answers %d with what is another tenant's", call.method, call.path, status)
	case (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) && answered.Get("Retry-After") != "":
		f.refused[at]++
	case status/100 == 2 && (call.method != "GET" || call.path == "/v1/whoami" || strings.Contains(text, secret)):
		f.served[at]++
	default:
		f.t.Errorf("%s %s answers %d %v %.200s", call.method, call.path, status, answered, text)
	}
}

// everyone waits until each neighbour was answered so at each step that counts once more than before.
func (f *traffic) everyone(what string, answers map[string]int, counts func(needs string) bool) {
	f.t.Helper()
	f.mu.Lock()
	before := map[string]int{}
	for at, n := range answers {
		before[at] = n
	}
	f.mu.Unlock()
	f.until(what, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, secret := range f.secrets {
			for i, call := range walk {
				if at := fmt.Sprint(secret, i); counts(call.needs) && answers[at] <= before[at] {
					return f.t.Failed()
				}
			}
		}
		return true
	})
}

// through wants each neighbour to be refused what needs an engine, and to be served everything when the engine is mended.
func (f *traffic) through(what, engine string, mend func()) {
	f.t.Helper()
	f.everyone(what+": what needs it is refused", f.refused, func(needs string) bool { return needs == engine })
	mend()
	f.recovers(what)
}

func (f *traffic) recovers(what string) {
	f.t.Helper()
	f.everyone(what+", and is over: everything is served", f.served, func(string) bool { return true })
}

// TestOutages: engines are cut off, stall and forget while neighbours read and write. Each is given what is its own or an honest refusal,
// and is served again when the engine is back, with nobody's help.
func TestOutages(t *testing.T) {
	s, lines := behind(t, "row", impatient)
	f := s.flow()
	f.recovers("nothing has happened")
	for name, line := range lines {
		for _, state := range []string{"cut", "stalled"} {
			line.set(state)
			f.through(name+" is "+state, name, func() { line.set("") })
		}
	}
	if err := s.parts.Service.Redis.FlushDB(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	f.recovers("Redis forgets everything")
}

// impatient has requests wait for engines for a second, and those that move files or make tenants for four.
func impatient(p *reference.Parts) { p.API.Patience, p.API.LongPatience = time.Second, 4*time.Second }
