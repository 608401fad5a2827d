package harness

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestHold: a limiter that says when to come back is waited for, by all lanes at once, and not for ever.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(0)
		began := time.Now()
		wait := func(want time.Duration) {
			t.Helper()
			if err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("the next request went out after %s, want %s", took, want)
			}
		}
		wait(0)
		if !p.hold(3*time.Second) || !p.hold(2*time.Second) {
			t.Error("nobody waits")
		}
		wait(3 * time.Second)
		for range 100 {
			p.hold(30 * time.Second)
			if err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > longestHold || took < longestHold-30*time.Second {
			t.Errorf("the run waited for %s in all, want nearly %s", took, longestHold)
		}
		if p.hold(30 * time.Second) {
			t.Error("its patience has no end")
		}
	})
}
