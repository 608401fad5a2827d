// Package backingtest gives tests a running backing: one engine per test binary, a fresh service per test.
//
// The suites are the same on every kind of backing: [EnvKind] chooses it. They run on the embedded one unless told otherwise.
package backingtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/partywall/partywall/reference/backing"
)

// EnvKind names the kind of backing that tests run on.
const EnvKind = "PARTYWALL_BACKING"

var (
	mu     sync.Mutex
	shared *backing.Engine // of the test binary, once a test has asked for it
	closes bool            // whether Main will end it
)

// Kind of the backing that tests run on.
func Kind() string {
	if kind := os.Getenv(EnvKind); kind != "" {
		return kind
	}
	return "embedded"
}

// Main runs the tests of a package, and ends the engine they shared: containers do not end with the test binary.
//
//	func TestMain(m *testing.M) { backingtest.Main(m) }
func Main(m *testing.M) {
	closes = true
	code := m.Run()
	mu.Lock()
	defer mu.Unlock()
	if shared != nil {
		if err := shared.Close(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "close the backing:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Engine is the one that all tests of a binary share.
func Engine(t testing.TB) *backing.Engine {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if shared != nil {
		return shared
	}
	if !closes {
		t.Fatal("nobody would end the engine: the package needs a TestMain that calls backingtest.Main")
	}
	e, err := backing.Open(context.WithoutCancel(t.Context()), Kind())
	if err != nil {
		t.Fatal(err)
	}
	shared = e
	return e
}

// Service is a fresh service of the shared engine, removed when the test ends.
func Service(t testing.TB, template backing.Template) *backing.Service {
	t.Helper()
	return fresh(t, Engine(t), template)
}

func fresh(t testing.TB, e *backing.Engine, template backing.Template) *backing.Service {
	t.Helper()
	s, err := e.Service(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, s.Close(context.WithoutCancel(t.Context()))) })
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
