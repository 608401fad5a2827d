package main

import (
	"context"
	"net"
	"net/http"
	"testing"
)

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
