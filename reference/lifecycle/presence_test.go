package lifecycle

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestDrain: a deletion waits for requests that are on their way, of its own tenant only, and not forever.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Manager
		drained := make(chan error, 1)
		drain := func() { drained <- m.present.drain(t.Context(), "a") }

		neighbour := m.Enter("b")
		drain()
		if err := <-drained; err != nil {
			t.Errorf("nobody is there: %v", err)
		}
		first, second := m.Enter("a"), m.Enter("a")
		go drain()
		first()
		first() // leaving twice counts once
		synctest.Wait()
		if len(drained) > 0 {
			t.Error("it did not wait for the second request")
		}
		second()
		if err := <-drained; err != nil {
			t.Error(err)
		}
		stuck := m.Enter("a")
		start := time.Now()
		drain()
		if err := <-drained; !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != drainFor {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		stuck()
		neighbour()
		if len(m.present.count) > 0 || len(m.present.empty) > 0 || len(m.present.ends) > 0 {
			t.Errorf("%v, %v, %v is left", m.present.count, m.present.empty, m.present.ends)
		}
	})
}

// TestUntilClosed: a drain ends what would stay for ever, of its own tenant only; also who asks after it began.
func TestUntilClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Manager
		leaveNeighbour := m.Enter("b")
		neighbour, forget := m.UntilClosed(t.Context(), "b")
		drained := make(chan error, 1)
		left := make(chan bool, 2)
		late := m.Enter("a")
		leave := m.Enter("a")
		stays, cancel := m.UntilClosed(t.Context(), "a")
		go func() {
			<-stays.Done()
			cancel()
			leave()
			left <- true
		}()
		go func() { drained <- m.present.drain(t.Context(), "a") }()
		synctest.Wait()
		if len(left) != 1 || len(drained) > 0 {
			t.Errorf("%d left, %d drained", len(left), len(drained))
		}
		too, cancel := m.UntilClosed(t.Context(), "a")
		synctest.Wait()
		if too.Err() == nil {
			t.Error("who asks after the drain began may stay")
		}
		cancel()
		late()
		if err := <-drained; err != nil {
			t.Error(err)
		}
		again := m.Enter("a")
		reopened, cancel := m.UntilClosed(t.Context(), "a")
		synctest.Wait()
		if reopened.Err() != nil || neighbour.Err() != nil {
			t.Errorf("after the drain: %v; the neighbour: %v", reopened.Err(), neighbour.Err())
		}
		cancel()
		again()
		forget()
		leaveNeighbour()
		if len(m.present.count) > 0 || len(m.present.empty) > 0 || len(m.present.ends) > 0 {
			t.Errorf("%v, %v, %v is left", m.present.count, m.present.empty, m.present.ends)
		}
	})
}
