package reference

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/monitor"
)

// watch has the monitor tell the log, the metrics, and the operator if there is a URL.
func (p *Parts) watch(cfg Config) {
	m := p.Monitor
	m.Log, m.Seen, m.Now = cfg.Log, p.Metrics.Attempt, func() time.Time { return p.Keys.Now() }
	m.Alarms = []monitor.Alarm{monitor.ToLog(cfg.Log), func(context.Context, monitor.Alert) error { p.Metrics.Alert(); return nil }}
	if cfg.AlertURL != "" {
		m.Alarms = append(m.Alarms, monitor.ToWebhook(cfg.AlertURL))
	}
}

// counted counts a visit.
func (p *Parts) counted(_ context.Context, v api.Visit) {
	p.Metrics.Request(v.Identity, v.Word(), v.Route, v.Status, v.Took)
}

// noticed tells the monitor of what a visit shows by itself, and of what was not found: whether somebody else has it, the ledger
// knows.
func (p *Parts) noticed(_ context.Context, v api.Visit) {
	a := monitor.Attempt{Tenant: v.Identity.Tenant, User: v.Identity.User, IP: v.IP}
	for _, sign := range v.Signs {
		a.Kind = string(sign)
		p.Monitor.Notice(a)
	}
	if v.Status == http.StatusNotFound && a.Tenant != "" && len(v.Objects) > 0 && !strings.HasPrefix(v.Route, "/admin/") {
		a.Kind, a.Objects = monitor.Object, v.Objects
		p.Monitor.Notice(a)
	}
}

// probes of the engines that the service stands on.
func probes(s *backing.Service) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"postgres": s.App.Ping,
		"redis":    func(ctx context.Context) error { return s.Redis.Ping(ctx).Err() },
		"s3": func(ctx context.Context) error {
			_, err := s.S3.BucketExists(ctx, s.Bucket)
			return err
		},
	}
}
