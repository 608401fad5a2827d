package harness

import (
	"errors"
	"net/url"
	"testing"
)

// TestHosts: a host is named with its port, and the usual port of a scheme need not be written on either side.
func TestHosts(t *testing.T) {
	for _, tc := range []struct {
		url   string
		named string
		want  bool
	}{
		{"http://example.com", "example.com:80", true},
		{"http://example.com:80", "example.com", true},
		{"http://example.com", "example.com", true},
		{"https://example.com", "example.com:443", true},
		{"https://Example.com/x", "example.COM:443", true},
		{"https://example.com", "example.com:80", false},
		{"http://example.com", "example.com:8080", false},
		{"http://example.com:8080", "example.com", false},
		{"http://example.com", "www.example.com:80", false},
		{"http://example.com.evil.test", "example.com:80", false},
		{"http://[2001:db8::1]", "[2001:db8::1]:80", true},
		{"http://[2001:db8::1]:80", "[2001:db8::1]", true},
		{"http://127.0.0.1:8080", "", true},
		{"http://localhost:8080", "", true},
		{"http://198.51.100.7:9", "", false},
	} {
		base, err := url.Parse(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		hosts, err := allowedHosts(base, []string{tc.named})
		if (err == nil) != tc.want || err != nil && !errors.Is(err, ErrHost) {
			t.Errorf("%s with %q allowed: %v", tc.url, tc.named, err)
		}
		if err == nil && !permits(hosts, base) {
			t.Errorf("%s is allowed, and yet the door stays shut", tc.url)
		}
	}
}
