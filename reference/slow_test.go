package reference_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
)

// TestSlowClients: who sends drop by drop, or fetches no answer, does not hold a tenant open that is to be deleted.
func TestSlowClients(t *testing.T) {
	s := start(t, "row", impatient, func(p *reference.Parts) { p.API.LongPatience = 5 * time.Second })
	large := strings.Repeat("x", 8<<20)
	for name, request := range map[string]string{
		"a document that trickles in": "POST /v1/documents HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n",
		"a file that trickles in":     "PUT /v1/files/slow HTTP/1.1\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n",
		"a file that is not fetched":  "GET /v1/files/large HTTP/1.1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := &service{t, s.parts, s.handler, s.url}
			id, token := s.admit("acme")
			s.want(204, token, "PUT", "/v1/files/large", large)
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(conn, "%sHost: x\r\nAuthorization: Bearer %s\r\n\r\n", request, token); err != nil {
				t.Fatal(err)
			}
			// A client that is told to go on, or that its file comes, is in.
			line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") && !strings.HasPrefix(line, "HTTP/1.1 200") {
				t.Fatalf("it is answered %q, %v", line, err)
			}
			go func() {
				drops := time.NewTicker(50 * time.Millisecond)
				defer drops.Stop()
				for err := error(nil); err == nil; _, err = conn.Write([]byte("x")) {
					select {
					case <-drops.C:
					case <-t.Context().Done():
						return
					}
				}
			}()
			s.until("the tenant is deleted", func() bool {
				status, _ := s.do(s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
				return status == 204
			})
		})
	}
}

// TestManyLogins: while as many passwords are hashed as may be at once, nobody waits longer for a login than its patience, and whoever
// is in is served.
func TestManyLogins(t *testing.T) {
	s := start(t, "row", impatient)
	_, token := s.admit("acme")
	invitation := s.want(201, token, "POST", "/v1/invitations", map[string]string{"email": "bob@example.com", "role": "member"})
	tries := map[string]map[string]any{
		"/v1/login":              {"tenant": "acme", "email": "alice@example.com", "password": "x"},
		"/v1/invitations/accept": {"token": invitation["token"], "password": password},
	}
	hashing := s.parts.API.Hashing
	for range cap(hashing) {
		hashing <- struct{}{}
	}
	for path, body := range tries {
		header := s.problem("too many at once", 503, "", "POST", path, http.Header{"Content-Type": asJSON}, asText(body))
		if header.Get("Retry-After") == "" {
			t.Errorf("POST %s does not say when to come again", path)
		}
	}
	s.want(200, token, "GET", "/v1/whoami", nil)
	for range cap(hashing) {
		<-hashing
	}
	s.want(401, "", "POST", "/v1/login", tries["/v1/login"])
	s.want(201, "", "POST", "/v1/invitations/accept", tries["/v1/invitations/accept"])
	s.want(200, "", "POST", "/v1/login", map[string]any{"tenant": "acme", "email": "bob@example.com", "password": password})
	if len(hashing) > 0 {
		t.Errorf("%d of the places are still taken", len(hashing))
	}
}
