package webhooks

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.215.14": true, "2606:2800:21f:cb07:6820:80da:af6b:8b2c": true, "8.8.8.8": true,
		"127.0.0.1": false, "127.8.8.8": false, "0.0.0.0": false, "0.1.2.3": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "100.100.100.200": false, "192.0.0.192": false, "198.18.0.1": false, "224.0.0.1": false,
		"239.1.1.1": false, "240.0.0.1": false, "255.255.255.255": false, "::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false,
		"::ffff:169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false,
		"64:ff9b::7f00:1": false, "64:ff9b:1::a00:1": false, "2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false, "fec0::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %v", address, got)
		}
	}
}

func TestCheck(t *testing.T) {
	for address, want := range map[string]bool{
		"https://example.com/hook?x=1": true, "http://example.com:8080": true,
		"": false, "example.com": false, "ftp://example.com/": false, "file:///etc/passwd": false, "gopher://127.0.0.1:6379/_x": false,
		"https:///x": false, "https://user:password@example.com/": false, "https://example.com/#x": false, "http://:80/": false,
		"https://example.com/" + strings.Repeat("a", 2000): false, "https://exa mple.com/": false, "https://example.com\r\n/": false,
	} {
		if got := Check(address); (got == nil) != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

func newSender(t *testing.T) *Sender {
	t.Helper()
	s, err := New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func as(t *testing.T, id tenant.ID) context.Context {
	return tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, User: "alice"})
}

// TestSecret: a secret is for one webhook of one tenant, and cannot be read where it is kept.
func TestSecret(t *testing.T) {
	s := newSender(t)
	shown, sealed, err := s.NewSecret(as(t, "a"), "1")
	if err != nil || strings.Contains(sealed, shown) || len(shown) < 30 {
		t.Fatalf("%q is kept as %q, %v", shown, sealed, err)
	}
	if got, err := s.open("a/1", sealed); err != nil || got != shown {
		t.Errorf("%q, %v", got, err)
	}
	for _, name := range []string{"b/1", "a/2", ""} {
		if _, err := s.open(name, sealed); !errors.Is(err, ErrSecret) {
			t.Errorf("as %q it opens: %v", name, err)
		}
	}
	if _, err := s.Deliver(as(t, "b"), "1", "https://example.com", sealed, nil); !errors.Is(err, ErrSecret) {
		t.Errorf("another tenant delivers with it: %v", err)
	}
	if _, _, err := s.NewSecret(t.Context(), "1"); !errors.Is(err, tenant.ErrMissing) {
		t.Errorf("a secret without a tenant: %v", err)
	}
	if _, err := s.Deliver(t.Context(), "1", "https://example.com", sealed, nil); !errors.Is(err, tenant.ErrMissing) {
		t.Errorf("a delivery without a tenant: %v", err)
	}
}

// TestSignature: a delivery is good with its own secret, under its own name, as it was sent, and for five minutes.
func TestSignature(t *testing.T) {
	now := time.Now()
	header := func(name, signature string) http.Header {
		return http.Header{HeaderID: {name}, HeaderSignature: {signature}}
	}
	body := []byte(`{"event":"ping"}`)
	good := sign("secret of a", "a/1", now, body)
	if err := Verify("secret of a", header("a/1", good), body, now); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"the secret of b":    Verify("secret of b", header("a/1", good), body, now),
		"another tenant":     Verify("secret of a", header("b/1", good), body, now),
		"another webhook":    Verify("secret of a", header("a/2", good), body, now),
		"another body":       Verify("secret of a", header("a/1", good), append(body, ' '), now),
		"another time":       Verify("secret of a", header("a/1", strings.Replace(good, "t=1", "t=2", 1)), body, now.Add(1_000_000_000*time.Second)),
		"late":               Verify("secret of a", header("a/1", good), body, now.Add(6*time.Minute)),
		"early":              Verify("secret of a", header("a/1", good), body, now.Add(-6*time.Minute)),
		"no signature":       Verify("secret of a", http.Header{}, body, now),
		"an empty one":       Verify("secret of a", header("a/1", good[:strings.Index(good, "v1=")+3]), body, now),
		"a shifted boundary": Verify("secret of a", header("a/1.{", good), body[1:], now),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestInwards: nothing is delivered to an address that is not public, by whatever name it goes, unless that was allowed.
func TestInwards(t *testing.T) {
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		if r.URL.Path == "/hook" {
			http.Redirect(w, r, "/inside", http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	s := newSender(t)
	_, sealed, err := s.NewSecret(as(t, "a"), "1")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"} {
		outcome, err := s.Deliver(as(t, "a"), "1", "http://"+host+":"+port+"/", sealed, nil)
		if err != nil || outcome != (Outcome{Reason: ErrAddress.Error()}) {
			t.Errorf("%s: %+v, %v", host, outcome, err)
		}
	}
	if len(asked) > 0 {
		t.Errorf("it was asked for %s", <-asked)
	}
	s.Dial = (&net.Dialer{}).DialContext
	outcome, err := s.Deliver(as(t, "a"), "1", server.URL+"/hook", sealed, nil)
	if err != nil || outcome != (Outcome{Status: 307}) || <-asked != "/hook" || len(asked) > 0 {
		t.Errorf("a redirect: %+v, %v; followed %d times", outcome, err, len(asked))
	}
}
