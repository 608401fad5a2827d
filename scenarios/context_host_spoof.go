package scenarios

import (
	"context"
	"net/http"
	"net/url"

	"github.com/partywall/partywall/harness"
)

func contextHostSpoof() harness.Scenario {
	return harness.Scenario{
		ID:    "context/host-spoof",
		Claim: "a host that names another tenant changes nothing",
		Why: "Tenants are often told apart by their subdomain. Behind a proxy the name comes in a header that any client can write, and beside a token " +
			"that is for somebody else.",
		Fix: "Take the tenant from the verified token. Where a host names one as well, refuse the request unless both agree, and believe forwarded hosts " +
			"from your own proxy only.",
		Refs: harness.Refs{
			CheatSheet: []string{"Never trust client-supplied tenant IDs without validation.", "Tenant Impersonation"},
			CWE:        []int{290, 346}, OWASP: []string{"API2", "API8"}, Techniques: []string{"12"}, Bugs: []string{"Cratis Arc #2471", "didacta #57"},
		},
		Front:     true,
		Anonymous: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			base, err := url.Parse(w.Surface().BaseURL)
			if err != nil {
				return err
			}
			id, name := w.VictimTenant()
			var bends []naming
			for _, tenant := range []string{name, id} {
				if tenant == "" {
					continue
				}
				host := tenant + "." + base.Host
				for _, by := range []struct {
					label  string
					header http.Header
				}{
					{"host " + host, http.Header{"Host": {host}}},
					{"forwarded host " + host, http.Header{
						"X-Forwarded-Host": {host}, "X-Original-Host": {host}, "X-Host": {host}, "X-Forwarded-Server": {host}, "Forwarded": {"host=" + host},
					}},
					{"origin " + host, http.Header{"Origin": {base.Scheme + "://" + host}, "Referer": {base.Scheme + "://" + host + "/"}}},
				} {
					bends = append(bends, naming{label: by.label, bend: func(c *harness.Call) { c.Header, c.Label = by.header, by.label }})
				}
			}
			probe(ctx, w, bends)
			return nil
		},
	}
}
