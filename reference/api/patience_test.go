package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections have no buffers: who does not read holds up who writes.
type pipes struct {
	conns chan net.Conn
	close func()
}

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { p.close(); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// serve a handler behind a patience of ten seconds, beside one behind none, in a bubble of time.
func serve(t *testing.T, handle http.HandlerFunc) (dial func() net.Conn) {
	a := &api{}
	mux := http.NewServeMux()
	mux.Handle("/within", a.within(usual, handle))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 10_000)) })
	conns := make(chan net.Conn)
	p := pipes{conns, sync.OnceFunc(func() { close(conns) })}
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(p) }()
	t.Cleanup(func() { _ = server.Close() })
	return p.dial
}

// left tells when a handler is over, and what it said.
type left struct {
	after time.Duration
	err   error
}

// TestTrickle: a body that comes in drop by drop is waited for as long as the patience, and a little more.
func TestTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan left, 1)
		conn := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			begin := time.Now()
			_, err := io.ReadAll(r.Body)
			over <- left{time.Since(begin), err}
		})()
		answered := make(chan string, 1)
		go func() {
			line, _ := bufio.NewReader(conn).ReadString('\n') // a refusal, or nothing
			answered <- line
		}()
		_, err := io.WriteString(conn, "POST /within HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
		for err == nil {
			time.Sleep(time.Second)
			_, err = io.WriteString(conn, "x")
		}
		got := <-over
		var late net.Error
		if got.after < 10*time.Second || got.after > 15*time.Second || !errors.As(got.err, &late) || !late.Timeout() {
			t.Errorf("it was over after %s: %v", got.after, got.err)
		}
		if line := <-answered; !strings.HasPrefix(line, "HTTP/1.1 200") {
			t.Errorf("the handler could not answer: %q", line)
		}
		_ = conn.Close()
	})
}

// TestUnread: an answer that nobody fetches is sent for as long as the patience, and a little more.
func TestUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan left, 1)
		conn := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			begin := time.Now()
			_, err := io.WriteString(w, strings.Repeat("x", 1<<20))
			over <- left{time.Since(begin), err}
		})()
		if _, err := io.WriteString(conn, "GET /within HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if got := <-over; got.after != 15*time.Second || got.err == nil {
			t.Errorf("it was over after %s: %v", got.after, got.err)
		}
		_ = conn.Close()
	})
}

// TestLater: the deadlines of one request are none of the next on its connection, whatever route that takes.
func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if _, ok := r.Context().Deadline(); !ok {
				t.Error("it has no deadline")
			}
			_, _ = io.WriteString(w, "ok")
		})()
		reader := bufio.NewReader(conn)
		for _, path := range []string{"/within", "/", "/within", "/"} {
			if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			_ = answer.Body.Close()
			time.Sleep(time.Minute)
		}
		_ = conn.Close()
	})
}

// TestHashing: as many passwords are hashed at once as may be. Who comes then waits for a turn, or as long as the request may.
func TestHashing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{Config: Config{Hashing: make(chan struct{}, 2)}}
		take := func(ctx context.Context) func() {
			t.Helper()
			done, err := a.hashing(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return done
		}
		first, second := take(t.Context()), take(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := a.hashed(ctx, "password"); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 10*time.Second {
			t.Errorf("a third one is over after %s: %v", time.Since(begin), err)
		}
		if _, err := a.matches(ctx, a.nobody, "password"); !isUnavailable(err) {
			t.Errorf("a fourth one: %v", err)
		}
		turn := make(chan error, 1)
		go func() { _, err := a.matches(t.Context(), a.nobody, "password"); turn <- err }()
		synctest.Wait()
		if len(turn) > 0 {
			t.Error("a third one did not wait")
		}
		first()
		if err := <-turn; err != nil {
			t.Error(err)
		}
		second()
		if len(a.Hashing) > 0 {
			t.Errorf("%d tokens are left", len(a.Hashing))
		}
	})
}
