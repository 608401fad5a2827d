package harness_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
)

// TestOnTheWire: hostile paths go out as they are, and in the form that every server expects.
func TestOnTheWire(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	lines := make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			data := make([]byte, 4096)
			n, _ := conn.Read(data)
			line, _, _ := strings.Cut(string(data[:n]), "\r\n")
			lines <- line
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 14\r\n\r\n{\"id\":\"abcde\"}")
			_ = conn.Close()
		}
	}()
	scenario := harness.Scenario{ID: "wire", Claim: "as it is", Attack: func(ctx context.Context, w *harness.World) error {
		for len(lines) > 0 {
			<-lines
		}
		for raw, want := range map[string]string{
			"..%2f%2e%2e/x": "GET /notes/..%2f%2e%2e/x HTTP/1.1", "a/../b": "GET /notes/a/../b HTTP/1.1", "%00%ff": "GET /notes/%00%ff HTTP/1.1",
		} {
			c, _ := w.Call(harness.Read, w.Theirs())
			c.RawID = raw
			e := w.Attack(ctx, c)
			if got := <-lines; got != want {
				t.Errorf("%q went out as %q, want %q", raw, got, want)
			}
			if want := "http://" + listener.Addr().String() + "/notes/" + raw; e.Request.URL != want {
				t.Errorf("the record shows %q, want %q", e.Request.URL, want)
			}
		}
		return nil
	}}
	_, err = harness.Run(t.Context(), harness.Config{
		Target: &target{url: "http://" + listener.Addr().String()}, Scenarios: []harness.Scenario{scenario}, Lanes: 1, Cells: []string{"wire/notes/a-b"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// gated is a target with a gateway's key in every request.
type gated struct{ target }

const gatewayKey = "gateway/key+of&the=target"

func (g *gated) Secrets() map[string]string { return map[string]string{gatewayKey: "<GATEWAY_KEY>"} }

func (g *gated) Surface() harness.Surface {
	s := g.target.Surface()
	for i := range s.Resources[0].Operations {
		s.Resources[0].Operations[i].Header = map[string]string{"X-Gateway-Key": gatewayKey}
	}
	return s
}

func (g *gated) Provision(ctx context.Context, name string) (harness.Tenant, error) {
	out, err := g.target.Provision(ctx, name)
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth("alice", out.ID+"-password")
	out.Principals[0].Credential = harness.Header{Name: "Authorization", Value: r.Header.Get("Authorization")}
	return out, err
}

// TestSecretsStayOut: a service may echo what it was given, in many forms, whole or broken off; the evidence shows none.
func TestSecretsStayOut(t *testing.T) {
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.Header().Set("Set-Cookie", "sid=supersecretcookie; Path=/")
		w.Header().Set("X-Echo", r.Header.Get("X-Gateway-Key"))
		n++
		quoted := strings.ReplaceAll(strconv.Quote(gatewayKey), "/", `\/`)
		body := fmt.Sprintf(`{"id":"note-number-%08d","user":%q,"password":%q,"auth":%q,"key":%s}`, n, user, password, r.Header.Get("Authorization"), quoted)
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)+10)) // it breaks off before its end
		}
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	kept := 0
	report, err := harness.Run(t.Context(), harness.Config{
		Target: &gated{target{url: server.URL}}, Scenarios: []harness.Scenario{swap(harness.Read), swap(harness.Delete)}, Lanes: 1,
		Keep: func(h *harness.History, _ harness.Verdict) error {
			stored, err := json.Marshal(h)
			kept += len(h.Exchanges)
			for _, secret := range []string{"-password", "supersecretcookie", "gateway/key", `gateway\\/key`, "gateway%2Fkey"} {
				if strings.Contains(string(stored), secret) {
					t.Errorf("%s holds %q", h.Cell.ID, secret)
				}
			}
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if kept == 0 || report.Summary.Held > 0 {
		t.Errorf("%d exchanges kept, %+v", kept, report.Summary)
	}
}
