package cache

import (
	"context"
	"sync"
)

// flights are loads that several readers wait for.
type flights struct {
	mu   sync.Mutex
	open map[string]*flight
}

type flight struct {
	waiting  int
	cancel   context.CancelFunc
	done     chan struct{}
	value    []byte
	err      error
	panicked any
}

// join waits for the load with a name, and begins it where there is none. The load has the values of its first reader's context, and
// is cancelled when the last one has given up, who then waits for its end: nothing is at work for a tenant when no request is.
func (f *flights) join(ctx context.Context, name string, load func(context.Context) ([]byte, error)) ([]byte, error) {
	f.mu.Lock()
	l := f.open[name]
	if l == nil {
		if f.open == nil {
			f.open = map[string]*flight{}
		}
		shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
		l = &flight{cancel: cancel, done: make(chan struct{})}
		f.open[name] = l
		go f.fly(shared, name, l, load)
	}
	l.waiting++
	f.mu.Unlock()

	select {
	case <-l.done:
		f.leave(name, l)
	case <-ctx.Done():
		if !f.leave(name, l) {
			return nil, context.Cause(ctx)
		}
		<-l.done
	}
	if l.panicked != nil {
		panic(l.panicked)
	}
	if l.err == nil {
		return l.value, nil
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return nil, l.err
}

func (f *flights) fly(ctx context.Context, name string, l *flight, load func(context.Context) ([]byte, error)) {
	defer func() {
		l.panicked = recover() // it is the readers' to handle: here it would end the process
		f.end(name, l)
		l.cancel()
		close(l.done)
	}()
	l.value, l.err = load(ctx)
}

// leave is said by each reader. The last one cancels the load, which nobody may join any more.
func (f *flights) leave(name string, l *flight) (last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.waiting--
	if l.waiting > 0 {
		return false
	}
	if f.open[name] == l {
		delete(f.open, name)
	}
	l.cancel()
	return true
}

func (f *flights) end(name string, l *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[name] == l {
		delete(f.open, name)
	}
}

// forget lets those who come from now on begin a load of their own.
func (f *flights) forget(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, name)
}
