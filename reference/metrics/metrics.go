// Package metrics counts what the service does, for Prometheus.
//
// No label holds anything of a tenant's but a digest of its id, and every label has a bounded number of values: routes are the
// patterns that the service knows, methods and reasons are its own words, and of tenants the first some hundred are told apart.
package metrics

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/partywall/partywall/reference/tenant"
)

// Metrics of one service.
type Metrics struct {
	// Label stands for a tenant.
	Label func(id tenant.Identity) string

	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	refusals *prometheus.CounterVec
	byTenant *prometheus.CounterVec
	attempts *prometheus.CounterVec
	alerts   prometheus.Counter
	jobs     *prometheus.CounterVec
	mu       sync.Mutex
	tenants  map[string]bool
}

// TenantsTold is how many tenants are told apart. The others are one.
const TenantsTold = 500

// Others stands for the tenants beyond it, and Nobody for requests that were not let in.
const (
	Others = "others"
	Nobody = "none"
)

// New counts from zero. mark is a keyed digest: the ids of tenants are no secret, so that one without a key could be guessed back.
func New(mark func(texts ...string) string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "partywall", Name: name, Help: help}, labels)
	}
	m := &Metrics{
		Label:    func(id tenant.Identity) string { return mark("metrics", string(id.Tenant)) },
		registry: prometheus.NewRegistry(), tenants: map[string]bool{},
		requests: counter("requests_total", "Requests that were answered.", "method", "route", "class"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "partywall", Name: "request_seconds", Help: "How long answers took.", Buckets: prometheus.ExponentialBuckets(0.001, 3, 9),
		}, []string{"route"}),
		refusals: counter("refusals_total", "Requests that were refused.", "route", "reason"),
		byTenant: counter("tenant_requests_total", "Requests by the digest of their tenant.", "tenant", "class"),
		attempts: counter("cross_tenant_attempts_total", "Attempts to reach other tenants.", "kind"),
		alerts:   prometheus.NewCounter(prometheus.CounterOpts{Namespace: "partywall", Name: "alerts_total", Help: "Alerts about repeated attempts."}),
		jobs:     counter("jobs_total", "Jobs that were done, or not.", "kind", "outcome"),
	}
	m.registry.MustRegister(m.requests, m.took, m.refusals, m.byTenant, m.attempts, m.alerts, m.jobs)
	return m
}

// reasons of refusals, by the status that each has.
var reasons = map[int]string{
	http.StatusUnauthorized: "unauthenticated", http.StatusForbidden: "forbidden", http.StatusNotFound: "not found", http.StatusTooManyRequests: "limited",
	http.StatusServiceUnavailable: "unavailable",
}

// Request that was answered. Method and route are words of the service.
func (m *Metrics) Request(id tenant.Identity, method, route string, status int, took time.Duration) {
	class := strconv.Itoa(status/100) + "xx"
	m.requests.WithLabelValues(method, route, class).Inc()
	m.took.WithLabelValues(route).Observe(took.Seconds())
	if reason, refused := reasons[status]; refused {
		m.refusals.WithLabelValues(route, reason).Inc()
	}
	m.byTenant.WithLabelValues(m.bounded(id), class).Inc()
}

func (m *Metrics) bounded(id tenant.Identity) string {
	if id.Tenant == "" {
		return Nobody
	}
	label := m.Label(id)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.tenants[label] && len(m.tenants) >= TenantsTold {
		return Others
	}
	m.tenants[label] = true
	return label
}

// Attempt to reach another tenant.
func (m *Metrics) Attempt(kind string) { m.attempts.WithLabelValues(kind).Inc() }

// Alert that was raised.
func (m *Metrics) Alert() { m.alerts.Inc() }

// Job that is over.
func (m *Metrics) Job(kind string, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	m.jobs.WithLabelValues(kind, outcome).Inc()
}

// Handler shows them. Who may see them is not its business.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
