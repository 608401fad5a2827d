package harness

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// allowedHosts are those that requests of a run may go to. Loopback needs no word; every other host must be named, that
// of the surface's own base URL included.
func allowedHosts(base *url.URL, named []string) ([]string, error) {
	if loopback(base.Hostname()) {
		return append(named, base.Host), nil
	}
	if !permits(named, base) {
		return nil, fmt.Errorf("%w: %s", ErrHost, base.Host)
	}
	return named, nil
}

// permits tells whether one of the hosts is that of a URL. A port that is not written is the usual one of the URL's scheme.
func permits(hosts []string, u *url.URL) bool {
	asked := withPort(u.Host, u.Scheme)
	return slices.ContainsFunc(hosts, func(h string) bool { return withPort(h, u.Scheme) == asked })
}

func withPort(host, scheme string) string {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), ""
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return net.JoinHostPort(strings.ToLower(name), port)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
