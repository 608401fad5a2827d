package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/reference/monitor"
)

// Layers implements harness.Watcher.
func (t *Target) Layers() []harness.Layer {
	return []harness.Layer{harness.Log, harness.Metrics, harness.Alerts}
}

// Watch implements harness.Watcher.
func (t *Target) Watch(context.Context) (func(ctx context.Context, on harness.Layer) (string, error), error) {
	log, alerts := t.log.mark(), t.alerts.mark()
	return func(ctx context.Context, on harness.Layer) (string, error) {
		switch on {
		case harness.Log:
			return t.log.since(log), nil
		case harness.Alerts:
			return t.alerts.since(alerts), nil
		case harness.Metrics:
			return t.scrape(ctx)
		default:
			return "", fmt.Errorf("the service has no layer %s", on)
		}
	}, nil
}

func (t *Target) scrape(ctx context.Context) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, process := range t.metrics {
		answer := httptest.NewRecorder()
		if process.ServeHTTP(answer, r); answer.Code != http.StatusOK {
			return "", fmt.Errorf("the metrics answer %d", answer.Code)
		}
		all.WriteString(answer.Body.String())
	}
	return all.String(), nil
}

// A tape keeps the last of what is written to it, line by line.
type tape struct {
	mu      sync.Mutex
	kept    []byte
	written int // in all
}

// tapeLength bounds what a tape keeps: some ten thousand lines.
const tapeLength = 4 << 20

// Write implements io.Writer.
func (t *tape) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, line...)
	t.written += len(line)
	if over := len(t.kept) - tapeLength; over > tapeLength/4 { // not for each line anew
		if end := bytes.IndexByte(t.kept[over:], '\n'); end >= 0 {
			t.kept = append([]byte{}, t.kept[over+end+1:]...)
		}
	}
	return len(line), nil
}

func (t *tape) mark() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written
}

func (t *tape) since(mark int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept[max(0, len(t.kept)-(t.written-mark)):])
}

// alarm writes an alert on the tape.
func (t *tape) alarm(_ context.Context, a monitor.Alert) error {
	line, err := json.Marshal(a)
	if err == nil {
		_, err = t.Write(append(line, '\n'))
	}
	return err
}
