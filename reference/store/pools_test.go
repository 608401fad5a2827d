package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// opener opens pools that connect to nothing, and remembers which.
type opener struct {
	t     *testing.T
	order []string // as they were opened
	pools map[string]*pgxpool.Pool
}

func (o *opener) open(_ context.Context, name string) (*pgxpool.Pool, error) {
	if name == "broken" {
		return nil, errors.New("no such database")
	}
	cfg, err := pgxpool.ParseConfig("host=127.0.0.1 user=nobody sslmode=disable dbname=" + name)
	if err != nil {
		o.t.Fatal(err)
	}
	cfg.BeforeConnect = func(context.Context, *pgx.ConnConfig) error { return errNoServer }
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	if o.pools == nil {
		o.pools = map[string]*pgxpool.Pool{}
	}
	o.order, o.pools[name] = append(o.order, name), pool
	return pool, nil
}

var errNoServer = errors.New("nothing to connect to")

// opened are the names whose pools are open: a closed one refuses before it connects.
func (o *opener) opened() (names []string) {
	for name, pool := range o.pools {
		if _, err := pool.Acquire(o.t.Context()); errors.Is(err, errNoServer) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func newTestPools(t *testing.T, size int) (*pools, *opener) {
	o := &opener{t: t}
	p := newPools(size, o.open)
	return p, o
}

// use takes a pool and gives it back.
func use(t *testing.T, p *pools, name string) {
	t.Helper()
	if err := p.with(t.Context(), name, func(*pgxpool.Pool) error { return nil }); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// TestPoolsAreLazyAndBounded: a pool is opened when it is first asked for and then kept; of those that nobody uses, the one that was
// not used for longest gives way to another.
func TestPoolsAreLazyAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newTestPools(t, 3)
		defer p.close()
		if len(o.order) != 0 {
			t.Errorf("%q were opened for nobody", o.order)
		}
		for _, name := range []string{"a", "b", "c", "a", "d", "a", "e"} { // d takes the place of b, e that of c
			use(t, p, name)
			if open := o.opened(); len(open) > 3 {
				t.Errorf("%q are open at once", open)
			}
		}
		if got := fmt.Sprint(o.order); got != "[a b c d e]" {
			t.Errorf("in this order were opened %s", got)
		}
		if got := fmt.Sprint(o.opened()); got != "[a d e]" {
			t.Errorf("open are %s", got)
		}
		use(t, p, "b")
		if got := fmt.Sprint(o.opened()); got != "[a b e]" {
			t.Errorf("then open are %s", got)
		}
		if err := p.with(t.Context(), "broken", func(*pgxpool.Pool) error { return nil }); err == nil {
			t.Error("what cannot be opened is used")
		}
		use(t, p, "a")
	})
}

// TestPoolsInUse: a pool in use never gives way. Who wants a further one waits until one falls out of use, or as long as it may.
func TestPoolsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newTestPools(t, 2)
		first, err := p.take(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		second, err := p.take(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		given := make(chan error, 2)
		go func() { given <- p.with(ctx, "x", func(*pgxpool.Pool) error { return nil }) }()
		synctest.Wait()
		if len(given) > 0 || len(o.order) != 2 {
			t.Errorf("a third is opened while two are in use: %q", o.order)
		}
		cancel()
		if err := <-given; !errors.Is(err, context.Canceled) {
			t.Errorf("who gives up gets %v", err)
		}
		go func() { given <- p.with(t.Context(), "c", func(*pgxpool.Pool) error { return nil }) }()
		again, err := p.take(t.Context(), "b") // who uses an open one does not wait
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		p.give(again)
		synctest.Wait()
		if len(given) > 0 {
			t.Error("b fell out of use before its last user left")
		}
		p.give(second)
		if err := <-given; err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(o.opened()); got != "[a c]" {
			t.Errorf("open are %s", got)
		}
		p.forget("a") // its user goes on
		if got := fmt.Sprint(o.opened()); got != "[a c]" {
			t.Errorf("while a is in use, open are %s", got)
		}
		p.give(first)
		if got := fmt.Sprint(o.opened()); got != "[c]" {
			t.Errorf("when a is left, open are %s", got)
		}
		p.close()
		if open := o.opened(); len(open) > 0 {
			t.Errorf("in the end %q are open", open)
		}
		if _, err := p.take(t.Context(), "a"); !errors.Is(err, errClosed) {
			t.Errorf("of closed databases: %v", err)
		}
	})
}
