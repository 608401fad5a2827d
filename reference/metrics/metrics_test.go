package metrics_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/metrics"
	"github.com/partywall/partywall/reference/tenant"
)

func shown(m *metrics.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// TestLabels: no label names a tenant or a user, and however many tenants there are, there are no more labels than told.
func TestLabels(t *testing.T) {
	m := metrics.New(func(texts ...string) string {
		return fmt.Sprintf("%x", len(texts[1])*7919+int(texts[1][len(texts[1])-1])) + texts[1][7:]
	})
	for i := range 2 * metrics.TenantsTold {
		id := tenant.Identity{Tenant: tenant.ID(fmt.Sprintf("tenant-%d", i)), Slug: "acme-slug", User: "alice@example.com"}
		m.Request(id, "GET", "/v1/documents/{id}", 200, time.Millisecond)
		m.Request(id, "GET", "/v1/documents/{id}", 429, time.Millisecond)
	}
	m.Request(tenant.Identity{}, "other", "", 404, time.Millisecond)
	m.Attempt("object")
	m.Alert()
	m.Job("export", nil)
	text := shown(m)
	for _, secret := range []string{"tenant-1", "acme-slug", "alice"} {
		if strings.Contains(text, secret) {
			t.Errorf("the metrics hold %s", secret)
		}
	}
	for _, want := range []string{
		`partywall_requests_total{class="2xx",method="GET",route="/v1/documents/{id}"} 1000`, `partywall_refusals_total{reason="limited",route="/v1/documents/{id}"} 1000`,
		`partywall_tenant_requests_total{class="2xx",tenant="others"} 500`, `partywall_tenant_requests_total{class="4xx",tenant="none"} 1`,
		`partywall_cross_tenant_attempts_total{kind="object"} 1`, `partywall_alerts_total 1`, `partywall_jobs_total{kind="export",outcome="done"} 1`,
		`partywall_request_seconds_count{route="/v1/documents/{id}"} 2000`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if n := strings.Count(text, "partywall_tenant_requests_total{"); n != 2*metrics.TenantsTold+3 {
		t.Errorf("%d series tell tenants apart", n)
	}
}
