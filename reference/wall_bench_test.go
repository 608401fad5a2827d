package reference_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// BenchmarkWall tells what the wall costs: one client reads and changes documents of a service per strategy and of a baseline,
// request by request in turn, so that noise hits all alike.
//
// The baseline is the same handler behind the same chain, on the same tables as row. It leaves out the tenant in the statements
// that read and change documents, and with it every setting and room; a document is found by its id alone, and is given an
// index for that. What it keeps is the same for all: token, a look at the registry, one at the session, the limiter (which has no limit here, and
// asks no Redis), the audit entry. The arm "ungated" is the baseline without the look at the registry.
//
// A change is two transactions in every arm, of one statement each, which rls and schema send in one batch with their setting.
func BenchmarkWall(b *testing.B) {
	b.Run("read", func(b *testing.B) { compare(b, http.MethodGet, "", 4000) })
	b.Run("write", func(b *testing.B) { compare(b, http.MethodPatch, `{"title":"changed"}`, 2500) })
}

func compare(b *testing.B, method, body string, rounds int) {
	subjects := []*subject{launch(b, "baseline", "row", untenanted), launch(b, "ungated", "row", untenanted, ungated)}
	for _, strategy := range store.Strategies() {
		subjects = append(subjects, launch(b, strategy, strategy))
	}
	for _, s := range subjects {
		for i := range 8 {
			s.admit(fmt.Sprintf("t%d", i), 25)
		}
		for i := range 300 { // connections are opened, statements prepared
			s.request(i, i/8, method, body)
		}
		s.took = nil
	}
	chance := rand.New(rand.NewPCG(1, 2)) // no subject always meets what the same other has left in the processor's caches
	for b.Loop() {
		for i := range rounds {
			for _, j := range chance.Perm(len(subjects)) {
				subjects[j].request(i, i/8, method, body)
			}
		}
	}
	table := &strings.Builder{}
	fmt.Fprintf(table, "%-9s %8s %8s %8s  %s\n", "", "p50", "p99", "req/s", "p50 to baseline, and in tenths of the run")
	for _, s := range subjects {
		low, high := s.spread(subjects[0])
		ratio := float64(quantile(s.took, 50)) / float64(quantile(subjects[0].took, 50))
		fmt.Fprintf(table, "%-9s %6.0fµs %6.0fµs %8.0f  %.3f (%.3f to %.3f)\n", s.name, micros(quantile(s.took, 50)), micros(quantile(s.took, 99)),
			float64(len(s.took))/total(s.took).Seconds(), ratio, low, high)
		b.ReportMetric(micros(quantile(s.took, 50)), s.name+"-p50-µs")
		b.ReportMetric(ratio, s.name+"/baseline")
	}
	b.ReportMetric(0, "ns/op")
	b.Log(table)
}

// untenanted leaves the tenant out of the statements that are measured.
func untenanted(b *testing.B, p *reference.Parts) {
	for _, name := range []string{store.DocumentGet, store.DocumentUpdate} {
		sql := strings.Replace(p.DB.Statements[name], "tenant_id = @tenant::uuid and ", "", 1)
		if sql == p.DB.Statements[name] {
			b.Fatalf("%s names its tenant in another way", name)
		}
		p.DB.Statements[name] = sql
	}
	p.OwnerSQL = append(p.OwnerSQL, `create index on documents (id)`)
}

// ungated lets everybody in who has a token.
func ungated(_ *testing.B, p *reference.Parts) {
	p.API.Gate = func(_ context.Context, id tenant.Identity) (tenant.Identity, error) {
		id.Tier = "test"
		return id, nil
	}
}

// subject is a running service, its tenants, and how long its requests took.
type subject struct {
	b       *testing.B
	name    string
	parts   *reference.Parts
	url     string
	tenants []resident
	took    []time.Duration
}

// resident is a tenant with a token and documents.
type resident struct {
	token     string
	documents []string
}

func launch(b *testing.B, name, strategy string, changes ...func(*testing.B, *reference.Parts)) *subject {
	b.Helper()
	template, err := reference.Template(strategy)
	if err != nil {
		b.Fatal(err)
	}
	parts, err := reference.Assemble(reference.Config{Strategy: strategy, HashCost: bcrypt.MinCost}, backingtest.Service(b, template))
	if err != nil {
		b.Fatal(err)
	}
	for _, change := range changes {
		change(b, parts)
	}
	handler, err := reference.New(b.Context(), parts)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	return &subject{b: b, name: name, parts: parts, url: server.URL}
}

// admit makes a tenant with some documents and returns how long the tenant took.
func (s *subject) admit(slug string, documents int) time.Duration {
	s.b.Helper()
	ctx := s.b.Context()
	start := time.Now()
	id, _, err := s.parts.API.Lifecycle.Admit(ctx, slug, slug, "test", []lifecycle.User{{Email: "alice@example.com", Role: "admin"}})
	took := time.Since(start)
	if err != nil {
		s.b.Fatal(err)
	}
	alice := tenant.Identity{Tenant: id, User: "alice@example.com", Role: "admin", Tier: "test"}
	if alice.Session, err = s.parts.API.Sessions.Open(tenant.NewContext(ctx, alice), alice.User, "a digest"); err != nil {
		s.b.Fatal(err)
	}
	token, err := s.parts.Keys.Sign(alice)
	if err != nil {
		s.b.Fatal(err)
	}
	r := resident{token: token}
	for i := range documents {
		d, err := s.parts.API.Documents.Create(tenant.NewContext(ctx, alice), store.Draft{
			Slug: fmt.Sprintf("d%d", i), Title: "a title", Body: strings.Repeat("text ", 100),
		})
		if err != nil {
			s.b.Fatal(err)
		}
		r.documents = append(r.documents, d.ID)
	}
	s.tenants = append(s.tenants, r)
	return took
}

// request sends one request about a document of a tenant, both counted round.
func (s *subject) request(who, which int, method, body string) {
	s.b.Helper()
	by := s.tenants[who%len(s.tenants)]
	r, err := http.NewRequestWithContext(s.b.Context(), method, s.url+"/v1/documents/"+by.documents[which%len(by.documents)], strings.NewReader(body))
	if err != nil {
		s.b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+by.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	start := time.Now()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.b.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	s.took = append(s.took, time.Since(start))
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK {
		s.b.Fatalf("%s answers %d: %s, %v", s.name, answer.StatusCode, text, err)
	}
}

// spread is the lowest and the highest ratio of medians over the tenths of a run.
func (s *subject) spread(baseline *subject) (low, high float64) {
	var ratios []float64
	for i := range 10 {
		from, to := i*len(s.took)/10, (i+1)*len(s.took)/10
		ratios = append(ratios, float64(quantile(s.took[from:to], 50))/float64(quantile(baseline.took[from:to], 50)))
	}
	return slices.Min(ratios), slices.Max(ratios)
}

func quantile(took []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[len(sorted)*percent/100]
}

func total(took []time.Duration) (sum time.Duration) {
	for _, d := range took {
		sum += d
	}
	return sum
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
