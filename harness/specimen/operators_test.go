package specimen_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/specimen"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/local"
)

// told is a specimen that tells its operators of each request.
type told struct {
	harness.Target

	mu      sync.Mutex
	lines   []string
	tenants map[string]string // by token
	deaf    error
}

func (s *told) Layers() []harness.Layer { return []harness.Layer{harness.Log} }

func (s *told) Watch(context.Context) (func(context.Context, harness.Layer) (string, error), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := len(s.lines)
	return func(context.Context, harness.Layer) (string, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Join(s.lines[from:], ""), s.deaf
	}, nil
}

// telling starts a specimen whose log has a line for each request.
func telling(t *testing.T, line func(tenant string, r *http.Request, body []byte) string) *told {
	t.Helper()
	s, good := &told{tenants: map[string]string{}}, specimen.Nested(false)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		if text := line(s.tenants[r.Header.Get("Authorization")], r, body); text != "" {
			s.lines = append(s.lines, text+"\n")
		}
		s.mu.Unlock()
		good.Handler.ServeHTTP(w, r)
	})
	target, err := local.Open(local.Config{
		Name: "told", Handler: handler, Surface: good.Surface,
		Provision: func(ctx context.Context, client *http.Client, url, name string) (harness.Tenant, error) {
			tenant, err := good.Provision(ctx, client, url, name)
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			err = errors.Join(err, tenant.Principals[0].Credential.Apply(ctx, r))
			s.mu.Lock()
			defer s.mu.Unlock()
			s.tenants[r.Header.Get("Authorization")] = tenant.ID
			return tenant, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Close(context.WithoutCancel(t.Context())) })
	s.Target = target
	return s
}

// TestOperators: what operators are told is judged as it is: who acts may stand there, values and credentials may not, in any form; a log
// that says nothing proves nothing, and neither does one that cannot be read or is not shown.
func TestOperators(t *testing.T) {
	chosen, err := scenarios.Select("audit/plain-text")
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		line func(tenant string, r *http.Request, body []byte) string
		deaf error
		want harness.Verdict
		seen string
	}{
		"who did what": {
			line: func(tenant string, r *http.Request, _ []byte) string {
				return tenant + " " + r.Method + " " + r.URL.Path
			},
			want: harness.Held,
		},
		"values": {
			line: func(tenant string, _ *http.Request, body []byte) string { return tenant + " " + string(body) },
			want: harness.Breached, seen: "stands in the log",
		},
		"values in hex, tenants unnamed": {
			line: func(_ string, _ *http.Request, body []byte) string { return fmt.Sprintf("%x", body) },
			want: harness.Breached, seen: "stands in the log",
		},
		"credentials": {
			line: func(tenant string, r *http.Request, _ []byte) string {
				return tenant + " " + r.Header.Get("Authorization")
			},
			want: harness.Breached, seen: "a credential",
		},
		"credentials in the query": {
			line: func(tenant string, r *http.Request, _ []byte) string {
				return tenant + " " + r.URL.Query().Get("access_token")
			},
			want: harness.Breached, seen: "a credential",
		},
		"nothing":         {line: func(string, *http.Request, []byte) string { return "" }, want: harness.Inconclusive},
		"others alone":    {line: func(string, *http.Request, []byte) string { return "somebody did something" }, want: harness.Inconclusive},
		"it is not there": {line: func(tenant string, _ *http.Request, _ []byte) string { return tenant }, deaf: errors.New("gone"), want: harness.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			s := telling(t, try.line)
			s.deaf = try.deaf
			tokens := func(text string) bool {
				for token := range s.tenants {
					if strings.Contains(text, strings.TrimPrefix(token, "Bearer ")) {
						return true
					}
				}
				return false
			}
			report, err := harness.Run(t.Context(), harness.Config{
				Target: s, Scenarios: chosen, Seed: 7, Keep: func(h *harness.History, v harness.Verdict) error {
					for _, e := range h.Observed(harness.Log) {
						if tokens(string(e.Response.Body)) {
							t.Error("a credential is in the record")
						}
					}
					if again, _, _ := harness.JudgeHistory(h, chosen[0].Judge); v != "" && again != v {
						t.Errorf("judged again it is %s", again)
					}
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := report.Results[0]
			if got.Verdict != try.want || try.seen != "" && !strings.Contains(got.Reason, try.seen) {
				t.Errorf("it is %s: %s", got.Verdict, got.Reason)
			}
		})
	}
	if got := run(t, specimen.Nested(false), chosen).Results[0]; got.Verdict != harness.Skipped {
		t.Errorf("where no log is shown it is %s: %s", got.Verdict, got.Reason)
	}
}
