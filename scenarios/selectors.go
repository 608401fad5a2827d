package scenarios

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/partywall/partywall/harness"
)

// Names by which services let a request name a tenant: from gateways, frameworks and public advisories.
var (
	tenantHeaders = []string{
		"X-Tenant-ID", "X-Tenant", "Tenant-ID", "Tenant", "X-Tenant-Name", "X-Tenant-Slug", "X-Scope-OrgID", "X-Org-ID", "X-Org",
		"X-Organization-ID", "Organization-Id", "X-Account-ID", "X-Customer-ID", "X-Company-ID", "X-Workspace-ID", "X-Project-ID",
		"X-Client-ID", "X-Team-ID", "X-User-Tenant", "X-Forwarded-Tenant", "X-Original-Tenant", "X-Auth-Tenant",
	}
	tenantParameters = []string{
		"tenant_id", "tenantId", "tenant", "tenantID", "tid", "org_id", "orgId", "org", "organization_id", "organizationId",
		"account_id", "accountId", "customer_id", "company_id", "workspace_id", "workspaceId", "owner_id", "as_tenant", "on_behalf_of",
	}
	tenantMembers = []string{
		"tenant_id", "tenantId", "tenant", "org_id", "organization_id", "organizationId", "account_id", "owner_id", "workspace_id",
	}
)

// a naming bends a request so that it names the victim.
type naming struct {
	label string
	bend  func(*harness.Call)
	// singles name the victim by one of several names each; for services that refuse those they do not know.
	singles []naming
}

// namings are the ways to name the victim in headers or in the query: what the surface says its clients use, alone, and
// the usual names together, since an unknown one is ignored. Id and human name are both tried.
func namings(w *harness.World, in harness.Place, usual []string) []naming {
	id, name := w.VictimTenant()
	var out []naming
	by := func(label string, keys []string, value string) naming {
		return naming{label: label, bend: func(c *harness.Call) {
			c.Label = label
			for _, key := range keys {
				if in == harness.InHeader {
					if c.Header == nil {
						c.Header = http.Header{}
					}
					c.Header.Set(key, value)
					continue
				}
				if c.Query == nil {
					c.Query = url.Values{}
				}
				c.Query.Set(key, value)
			}
		}}
	}
	add := func(label string, keys []string, value string) {
		if value == "" {
			return
		}
		n := by(label, keys, value)
		if len(keys) > 1 {
			for _, key := range keys {
				n.singles = append(n.singles, by(key+label[strings.Index(label, " = "):], []string{key}, value))
			}
		}
		out = append(out, n)
	}
	for _, s := range w.Surface().Selectors {
		if s.In == in {
			add(s.Name+" = victim's id", []string{s.Name}, id)
			add(s.Name+" = victim's name", []string{s.Name}, name)
		}
	}
	add("usual "+string(in)+" names = victim's id", usual, id)
	add("usual "+string(in)+" names = victim's name", usual, name)
	return out
}
