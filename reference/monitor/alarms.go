package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// ToLog writes alerts into a log, where operators look first.
func ToLog(log *slog.Logger) Alarm {
	return func(ctx context.Context, a Alert) error {
		log.ErrorContext(ctx, "repeated attempts to reach other tenants", "severity", "CRITICAL", "by_tenant", a.Tenant, "by_user", a.User,
			"ip", a.IP, "kind", a.Kind, "attempts", a.Attempts, "window", a.Window, "local", a.Local)
		return nil
	}
}

// alarmFor is how long a receiver of alerts may take.
const alarmFor = 5 * time.Second

// ToWebhook posts alerts to a URL of the operator's. It goes where the operator says, and follows nobody from there.
func ToWebhook(url string) Alarm {
	client := &http.Client{Timeout: alarmFor, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(ctx context.Context, a Alert) error {
		body, err := json.Marshal(a)
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("tell the operator: %w", err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(r)
		if err != nil {
			return fmt.Errorf("tell the operator: %w", err)
		}
		_ = answer.Body.Close() // there is nothing to learn from it
		if answer.StatusCode >= 300 {
			return fmt.Errorf("tell the operator: the receiver answers %d", answer.StatusCode)
		}
		return nil
	}
}
