package partywalltest

import (
	"context"
	"testing"
)

// T is what an attack needs of a test: a part of *testing.T, but for Run, whose function takes a T.
type T interface {
	Name() string
	Context() context.Context
	Helper()
	Run(name string, test func(T)) bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	// Fatalf and Skipf do not return.
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// std is a *testing.T as a T.
type std struct{ *testing.T }

// Run runs a subtest.
func (s std) Run(name string, test func(T)) bool {
	return s.T.Run(name, func(t *testing.T) { test(std{t}) })
}
