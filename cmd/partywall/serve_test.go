package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
)

// TestSecret: it is read in hexadecimal, one that is too short is refused, and none is none.
func TestSecret(t *testing.T) {
	t.Setenv(envOperatorKey, "an operator key of this test alone")
	for text, want := range map[string][]byte{"": nil, strings.Repeat("0a", 32): bytes.Repeat([]byte{10}, 32)} {
		t.Setenv(envSecret, text)
		if got, err := secret(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q is %x, %v", text, got, err)
		}
	}
	for _, bad := range []string{"0a", strings.Repeat("0a", 31), strings.Repeat("x", 64)} {
		t.Setenv(envSecret, bad)
		code, _, stderr := command(t, "serve", "--address", "127.0.0.1:0")
		if code != harness.ExitUsage || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, envSecret) || strings.Contains(stderr, bad) {
			t.Errorf("%q: exit %d, %s", bad, code, stderr)
		}
	}
}

// TestServeEndsStreams: a stream that nobody leaves does not keep the service from ending.
func TestServeEndsStreams(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	stream := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush() // the client is gone if this fails
		<-ended
	})
	ctx, interrupt := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, stream, func() { close(ended) }) }()
	answer, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	interrupt()
	if err := <-served; err != nil {
		t.Errorf("it ends with %v", err)
	}
}
