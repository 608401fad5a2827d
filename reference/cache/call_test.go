package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// a slow load tells when it has begun, and waits to be let go.
type slow struct {
	began chan tenant.ID
	let   chan string
}

func newSlow() slow { return slow{make(chan tenant.ID, 10), make(chan string)} }

func (s slow) load(ctx context.Context) (string, error) {
	id, err := tenant.From(ctx)
	if err != nil {
		return "", err
	}
	s.began <- id.Tenant
	select {
	case text := <-s.let:
		return text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

type answer struct {
	text string
	err  error
}

func (s slow) read(ctx context.Context, c *Cache) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		text, err := Call(ctx, c, "space", "name", s.load)
		out <- answer{text, err}
	}()
	return out
}

// joined waits until as many readers wait for the tenant's load.
func joined(t *testing.T, c *Cache, id tenant.ID, n int) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for hang := time.After(time.Minute); ; {
		c.flights.mu.Lock()
		l := c.flights.open[Flight(id, "space", "name")]
		there := l != nil && l.waiting == n
		c.flights.mu.Unlock()
		if there {
			return
		}
		select {
		case <-poll.C:
		case <-hang:
			t.Fatalf("%d readers never waited together", n)
		}
	}
}

// TestTogether: readers of one tenant who come while a name is loaded wait for one load; those of another tenant, for the same
// name, have their own.
func TestTogether(t *testing.T) {
	c, _ := newCache(t)
	of := map[tenant.ID]slow{"a": newSlow(), "b": newSlow()}
	var answers []<-chan answer
	for _, id := range []tenant.ID{"a", "b"} {
		for range 5 {
			answers = append(answers, of[id].read(as(t, id), c))
		}
		joined(t, c, id, 5)
	}
	for id, s := range of {
		if began := <-s.began; began != id || len(s.began) > 0 {
			t.Errorf("for %s there were %d loads, the first for %s", id, 1+len(s.began), began)
		}
		s.let <- "of " + string(id)
	}
	for i, got := range answers {
		if want := fmt.Sprint("of ", string("ab"[i/5])); (<-got) != (answer{text: want}) {
			t.Errorf("reader %d did not get %s", i, want)
		}
	}
	if len(c.flights.open) != 0 {
		t.Error("a flight is left behind")
	}
	// With one flight for all, they would meet.
	c, _ = newCache(t)
	c.Flight = func(_ tenant.ID, space, name string) string { return Flight("", space, name) }
	s := newSlow()
	first := s.read(as(t, "a"), c)
	<-s.began
	second := s.read(as(t, "b"), c)
	joined(t, c, "", 2)
	s.let <- "of a"
	if <-first; (<-second).text != "of a" {
		t.Error("readers who share a flight do not meet")
	}
}

// TestGivingUp: who gives up leaves the others alone, even if the load was begun for it; when the last one has, the load ends before
// the reader does.
func TestGivingUp(t *testing.T) {
	c, engine := newCache(t)
	s := newSlow()
	impatient, cancel := context.WithCancel(as(t, "a"))
	first := s.read(impatient, c)
	<-s.began
	second := s.read(as(t, "a"), c)
	joined(t, c, "a", 2)
	cancel()
	if got := <-first; !errors.Is(got.err, context.Canceled) {
		t.Errorf("the first reader got %+v", got)
	}
	s.let <- "value"
	if got := <-second; got != (answer{text: "value"}) || len(s.began) > 0 {
		t.Errorf("the second reader got %+v", got)
	}
	engine.FlushAll()
	impatient, cancel = context.WithCancel(as(t, "a"))
	ended := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := Call(impatient, c, "space", "name", func(ctx context.Context) (string, error) {
			defer close(ended)
			cancel()
			<-ctx.Done()
			return "too late", nil
		})
		done <- err
	}()
	<-done
	select {
	case <-ended:
	default:
		t.Error("the load goes on when no reader is left")
	}
	n := 0
	if got, err := Call(as(t, "a"), c, "space", "name", value("new", &n)); got != "new" || err != nil || n != 1 {
		t.Errorf("the next reader gets %q, %v", got, err)
	}
}

// TestPanic: a load that panics does so in every reader, where it is handled, and leaves nothing behind.
func TestPanic(t *testing.T) {
	c, _ := newCache(t)
	caught := make(chan any, 2)
	let := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			defer func() { caught <- recover() }()
			_, _ = Call(as(t, "a"), c, "space", "name", func(context.Context) (int, error) { <-let; panic("boom") })
		})
	}
	joined(t, c, "a", 2)
	close(let)
	readers.Wait()
	if a, b := <-caught, <-caught; a != "boom" || b != "boom" {
		t.Errorf("the readers caught %v and %v", a, b)
	}
	if got, err := Call(as(t, "a"), c, "space", "name", value("value", new(int))); got != "value" || err != nil {
		t.Errorf("the next reader gets %q, %v", got, err)
	}
}

// TestNotStale: what was read before a change is neither kept nor given to who comes after it.
func TestNotStale(t *testing.T) {
	c, engine := newCache(t)
	ctx := as(t, "a")
	s := newSlow()
	early := s.read(ctx, c)
	<-s.began // it has read the old value
	if err := c.Change(ctx, "space", "name", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	n := 0
	if got, err := Call(ctx, c, "space", "name", value("new", &n)); got != "new" || err != nil || n != 1 {
		t.Errorf("after the change a reader gets %q, %v", got, err)
	}
	s.let <- "old"
	if got := <-early; got.text != "old" || got.err != nil {
		t.Errorf("who began before the change gets %+v", got)
	}
	if got, err := Call(ctx, c, "space", "name", value("newer", &n)); got != "new" || err != nil {
		t.Errorf("then the cache holds %q, %v", got, err)
	}
	// While a change is on its way, nothing is kept; not even when it could not open the key again.
	err := c.Change(ctx, "space", "name", func() error {
		if got, err := Call(ctx, c, "space", "name", value("old", &n)); got != "old" || err != nil {
			t.Errorf("meanwhile a reader gets %q, %v", got, err)
		}
		engine.SetError("away")
		return nil
	})
	if err != nil {
		t.Errorf("a change that was made is reported as %v", err)
	}
	engine.SetError("")
	for _, want := range []string{"newest", "even newer"} {
		if got, err := Call(ctx, c, "space", "name", value(want, &n)); got != want || err != nil {
			t.Errorf("behind a shut key a reader gets %q, %v, want %s", got, err, want)
		}
	}
	engine.FastForward(shutFor + time.Second)
	for range 2 {
		if got, err := Call(ctx, c, "space", "name", value("open", new(int))); got != "open" || err != nil {
			t.Errorf("when it has opened a reader gets %q, %v", got, err)
		}
	}
}

// TestAway: readers go past a cache that is away; nothing is changed, for the old value would be back with it.
func TestAway(t *testing.T) {
	c, engine := newCache(t)
	ctx := as(t, "a")
	if _, err := Call(ctx, c, "space", "name", value("old", new(int))); err != nil {
		t.Fatal(err)
	}
	engine.SetError("away")
	if got, err := Call(ctx, c, "space", "name", value("from the store", new(int))); got != "from the store" || err != nil {
		t.Errorf("without a cache it reads %q, %v", got, err)
	}
	if _, _, err := c.Get(ctx, "space", "name"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a look into it says %v", err)
	}
	changed := false
	err := c.Change(ctx, "space", "name", func() error { changed = true; return nil })
	if !errors.Is(err, ErrUnavailable) || changed {
		t.Errorf("a change says %v, made %v", err, changed)
	}
	engine.SetError("")
	failure := errors.New("no")
	if err := c.Change(ctx, "space", "name", func() error { return failure }); !errors.Is(err, failure) {
		t.Errorf("a change that fails says %v", err)
	}
}
