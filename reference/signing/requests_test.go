package signing

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

func newRequests(t testing.TB) (*Requests, *miniredis.Miniredis) {
	t.Helper()
	engine := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: engine.Addr(), DisableIdentity: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	return RequestsWith(client, []byte("master")), engine
}

const (
	tenantA = tenant.ID("3f0c6a52-8d0b-4b6e-9a3c-6d1f5b7e2c01")
	keyA    = "3f0c6a52-8d0b-4b6e-9a3c-6d1f5b7e2c02"
	another = "3f0c6a52-8d0b-4b6e-9a3c-6d1f5b7e2c03"
)

// TestVerify: a signature is of one tenant, key, method, target, body, time and nonce.
func TestVerify(t *testing.T) {
	q, _ := newRequests(t)
	at := time.Unix(1_800_000_000, 0)
	q.Now = func() time.Time { return at }
	signed := Signed{Tenant: tenantA, Key: keyA, At: at.Unix(), Nonce: "0123456789abcdef"}
	call := Call{Method: "PUT", Target: "/a?b=c", Body: []byte("body")}
	header := q.Authorize(q.Secret(tenantA, keyA), signed, call)
	good, err := ParseSigned(header)
	if err != nil || q.Verify(good, call) != nil {
		t.Fatalf("%s: %v", header, err)
	}
	for name, change := range map[string]func(*Signed, *Call){
		"tenant": func(s *Signed, _ *Call) { s.Tenant = another }, "key": func(s *Signed, _ *Call) { s.Key = another },
		"time": func(s *Signed, _ *Call) { s.At++ }, "nonce": func(s *Signed, _ *Call) { s.Nonce += "x" },
		"method": func(_ *Signed, c *Call) { c.Method = "POST" }, "path": func(_ *Signed, c *Call) { c.Target = "/b?b=c" },
		"query": func(_ *Signed, c *Call) { c.Target = "/a?b=d" }, "body": func(_ *Signed, c *Call) { c.Body = nil },
		"signature": func(s *Signed, _ *Call) { s.Signature = s.Signature[:31] },
	} {
		s, c := good, call
		if change(&s, &c); !errors.Is(q.Verify(s, c), ErrToken) {
			t.Errorf("with another %s it is verified", name)
		}
	}
	stranger := RequestsWith(nil, []byte("another master"))
	stranger.Now = q.Now
	if stranger.Verify(good, call) == nil {
		t.Error("another service verifies it")
	}
	for _, bad := range []string{
		"", header + " ", " " + header, header + "\n", strings.Replace(header, ",key", ", key", 1), strings.Replace(header, "time=", "time=-", 1),
		strings.Replace(header, "time=", "time=99999", 1), strings.Replace(header, "nonce=0", "nonce=", 1), strings.Replace(header, "nonce=", "nonce=\n", 1),
		strings.Replace(header, "nonce=", "nonce="+strings.Repeat("x", 64), 1), strings.Replace(header, string(tenantA), strings.ToUpper(string(tenantA)), 1), header[:len(header)-1],
	} {
		if s, err := ParseSigned(bad); !errors.Is(err, ErrToken) {
			t.Errorf("%q says %+v", bad, s)
		}
	}
}

// FuzzParseSigned: whatever is read is written again as it was.
func FuzzParseSigned(f *testing.F) {
	q := RequestsWith(nil, nil)
	f.Add(q.Authorize(nil, Signed{Tenant: tenantA, Key: keyA, At: 1, Nonce: "0123456789abcdef"}, Call{}))
	f.Fuzz(func(t *testing.T, header string) {
		s, err := ParseSigned(header)
		if err == nil && (strings.ContainsAny(Canonical(s, Call{}), " \r\t") || strings.Count(Canonical(s, Call{}), "\n") != 7 || len(s.Signature) != 32) {
			t.Errorf("%q says %+v", header, s)
		}
	})
}

// TestSpend: a nonce is spent once by each key of each tenant, for as long as its request is timely.
func TestSpend(t *testing.T) {
	q, engine := newRequests(t)
	at := time.Unix(1_800_000_000, 0)
	q.Now = func() time.Time { return at }
	as := func(id tenant.ID) context.Context { return tenant.NewContext(t.Context(), tenant.Identity{Tenant: id}) }
	s := Signed{Tenant: tenantA, Key: keyA, At: at.Add(q.Skew).Unix(), Nonce: "n"}
	for i, want := range []error{nil, ErrToken} {
		if err := q.Spend(as(tenantA), s); !errors.Is(err, want) {
			t.Errorf("time %d: %v", i+1, err)
		}
	}
	engine.FastForward(2 * q.Skew)
	if err := q.Spend(as(tenantA), s); !errors.Is(err, ErrToken) {
		t.Errorf("as long as it is timely: %v", err)
	}
	other := s
	other.Key = another
	for name, err := range map[string]error{"another key": q.Spend(as(tenantA), other), "a neighbour": q.Spend(as(another), s)} {
		if err != nil {
			t.Errorf("the nonce of %s: %v", name, err)
		}
	}
	if err := q.Purge(t.Context(), tenantA); err != nil || len(engine.Keys()) != 1 {
		t.Errorf("after a purge there are %v, %v", engine.Keys(), err)
	}
	engine.SetError("away")
	if err := q.Spend(as(tenantA), s); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without a memory: %v", err)
	}
	if err := q.Purge(t.Context(), tenantA); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a purge without a memory: %v", err)
	}
	if err := q.Spend(context.Background(), s); !errors.Is(err, tenant.ErrMissing) {
		t.Errorf("without a tenant: %v", err)
	}
}

// BenchmarkToken checks access tokens.
func BenchmarkToken(b *testing.B) {
	k := New()
	token, err := k.Sign(tenant.Identity{Tenant: tenantA, User: "alice", Role: "admin"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := k.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
}

// BenchmarkSignedRequest checks signatures of requests with a body of a kilobyte, without the memory of nonces and with it.
func BenchmarkSignedRequest(b *testing.B) {
	q, _ := newRequests(b)
	call := Call{Method: "POST", Target: "/v1/documents?limit=200", Body: make([]byte, 1024)}
	ctx := tenant.NewContext(b.Context(), tenant.Identity{Tenant: tenantA})
	check := func(b *testing.B, nonce string, spend bool) {
		header := q.Authorize(q.Secret(tenantA, keyA), Signed{Tenant: tenantA, Key: keyA, At: time.Now().Unix(), Nonce: nonce}, call)
		s, err := ParseSigned(header)
		if err == nil {
			err = q.Verify(s, call)
		}
		if err == nil && spend {
			err = q.Spend(ctx, s)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for name, spend := range map[string]bool{"signature": false, "signature and nonce": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				secret, _ := NewSecret(tenantA)
				check(b, secret[33:], spend)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signed+checked/s")
		})
	}
}
