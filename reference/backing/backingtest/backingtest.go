// Package backingtest gives tests a running backing: one engine per test binary, a fresh service per test.
package backingtest

import (
	"context"
	"sync"
	"testing"

	"github.com/partywall/partywall/reference/backing"
)

// The engine is never closed: it ends with the test binary.
var engine = sync.OnceValues(func() (*backing.Engine, error) { return backing.Open(context.Background(), "embedded") })

// Engine is the embedded engine that all tests of a binary share.
func Engine(t testing.TB) *backing.Engine {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Service is a fresh service of the shared engine, removed when the test ends.
func Service(t testing.TB, template backing.Template) *backing.Service {
	t.Helper()
	s, err := Engine(t).Service(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}
