package monitor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/monitor"
)

func mark(texts ...string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.Join(texts, "\x00"))).String()
}

// office collects alerts.
type office struct {
	mu     sync.Mutex
	alerts []monitor.Alert
}

func (o *office) hear(_ context.Context, a monitor.Alert) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.alerts = append(o.alerts, a)
	return nil
}

func (o *office) heard() []monitor.Alert {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.alerts
}

// processes of one service.
func processes(t *testing.T, server *miniredis.Miniredis, n int, now func() time.Time) ([]*monitor.Monitor, *office, *bytes.Buffer) {
	t.Helper()
	o, log := &office{}, &bytes.Buffer{}
	var all []*monitor.Monitor
	for range n {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
		m := monitor.New(client, mark)
		m.Now, m.Alarms = now, []monitor.Alarm{o.hear}
		m.Log = slog.New(slog.NewTextHandler(log, nil))
		m.Start(t.Context())
		t.Cleanup(func() { m.Close(); _ = client.Close() })
		all = append(all, m)
	}
	return all, o, log
}

func settle(t *testing.T, all []*monitor.Monitor) {
	t.Helper()
	for _, m := range all {
		if err := m.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

var mallory = monitor.Attempt{Kind: monitor.Selector, Tenant: "acme", User: "mallory@example.com", IP: "203.0.113.9"}

// TestThird: the third attempt within a window raises one alarm, whichever process sees it; the next window may raise another.
func TestThird(t *testing.T) {
	now := time.Now()
	all, o, _ := processes(t, miniredis.RunT(t), 3, func() time.Time { return now })
	for i := range 7 {
		all[i%3].Notice(mallory) // none of them sees more than three
		settle(t, all)
		if got := len(o.heard()); got != min(1, (i+1)/3) {
			t.Fatalf("after %d attempts there are %d alerts", i+1, got)
		}
	}
	if a := o.heard()[0]; a.Tenant != "acme" || a.User != mallory.User || a.Attempts != 3 || a.Local {
		t.Errorf("the alert says %+v", a)
	}
	now = now.Add(10 * time.Minute)
	for i := range 3 {
		all[i].Notice(mallory)
		settle(t, all)
	}
	if len(o.heard()) != 2 {
		t.Errorf("the second window has %d alerts", len(o.heard())-1)
	}
}

// TestApart: principals are counted each for himself, and too slow is no series.
func TestApart(t *testing.T) {
	now := time.Now()
	all, o, _ := processes(t, miniredis.RunT(t), 1, func() time.Time { return now })
	for i := range 6 {
		other := mallory
		other.User = fmt.Sprint("user", i/2)
		all[0].Notice(other)
		other.Tenant, other.User, other.IP = "", "", fmt.Sprint("203.0.113.", i/2)
		all[0].Notice(other)
	}
	settle(t, all)
	for range 4 {
		now = now.Add(6 * time.Minute)
		all[0].Notice(mallory)
		settle(t, all)
	}
	if len(o.heard()) != 0 {
		t.Errorf("alerts are %+v", o.heard())
	}
}

// TestLedger: an id that nobody has, or that is one's own, is no attempt; another tenant's is. What Redis holds names nobody.
func TestLedger(t *testing.T) {
	server := miniredis.RunT(t)
	all, o, _ := processes(t, server, 2, time.Now)
	theirs, own := uuid.NewString(), uuid.NewString()
	all[0].Learn("globex", theirs)
	all[0].Learn("acme", own)
	settle(t, all)
	a := mallory
	a.Kind = monitor.Object
	for range 5 {
		a.Objects = []string{own, uuid.NewString()}
		all[1].Notice(a)
	}
	settle(t, all)
	if len(o.heard()) != 0 {
		t.Errorf("alerts are %+v", o.heard())
	}
	a.Objects = []string{own, theirs}
	for range 3 {
		all[1].Notice(a)
	}
	settle(t, all)
	if len(o.heard()) != 1 {
		t.Errorf("alerts are %+v", o.heard())
	}
	for _, secret := range []string{theirs, own, "globex", "acme", "mallory"} {
		if strings.Contains(server.Dump(), secret) {
			t.Errorf("Redis holds %s", secret)
		}
	}
	for _, id := range []string{"globex", "acme"} {
		if err := all[0].Purge(t.Context(), "globex"); err != nil {
			t.Fatal(id, err)
		}
	}
	if err := all[0].Purge(t.Context(), "acme"); err != nil || len(server.Keys()) != 0 {
		t.Errorf("what is left is %v, %v", server.Keys(), err)
	}
}

// TestWithoutRedis: it counts for itself, says so, and is back when Redis is.
func TestWithoutRedis(t *testing.T) {
	server := miniredis.RunT(t)
	all, o, log := processes(t, server, 1, time.Now)
	server.SetError("LOADING")
	for range 3 {
		all[0].Notice(mallory)
	}
	settle(t, all)
	if a := o.heard(); len(a) != 1 || !a[0].Local || !strings.Contains(log.String(), "in this process only") {
		t.Errorf("alerts are %+v, the log %s", a, log)
	}
	server.SetError("")
	for range 3 {
		all[0].Notice(mallory)
	}
	settle(t, all)
	if a := o.heard(); len(a) != 2 || a[1].Local {
		t.Errorf("alerts are %+v", a)
	}
}

// TestAlarms: the operator's URL gets the alert; one that fails does not keep the others from being told.
func TestAlarms(t *testing.T) {
	got := make(chan monitor.Alert, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var a monitor.Alert
		data, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(data, &a)
		got <- a
	}))
	defer server.Close()
	all, _, log := processes(t, miniredis.RunT(t), 1, time.Now)
	all[0].Alarms = []monitor.Alarm{
		func(context.Context, monitor.Alert) error { return errors.New("nobody is there") },
		monitor.ToLog(all[0].Log), monitor.ToWebhook(server.URL),
	}
	for range 3 {
		all[0].Notice(mallory)
	}
	if a := <-got; a.User != mallory.User || a.Attempts != 3 {
		t.Errorf("the operator was told %+v", a)
	}
	settle(t, all)
	if text := log.String(); !strings.Contains(text, "nobody is there") || !strings.Contains(text, "CRITICAL") {
		t.Errorf("the log says %s", text)
	}
	if err := monitor.ToWebhook("http://127.0.0.1:1")(t.Context(), monitor.Alert{}); err == nil {
		t.Error("nobody listens, and it says nothing")
	}
}
