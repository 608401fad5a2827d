package store

import (
	"container/list"
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
)

// pools keeps connections to a bounded number of databases. The one that was not used for longest gives way; one in use
// never does: who wants a further one waits, as long as the context allows.
type pools struct {
	open func(ctx context.Context, name string) (*pgxpool.Pool, error)
	size int

	mu     sync.Mutex
	known  map[string]*list.Element
	recent *list.List    // of *entry, the most recently used in front
	freed  chan struct{} // closed and replaced when an entry falls out of use
	closed bool
	unused []*pgxpool.Pool // to be closed when the lock is given back
}

type entry struct {
	name  string
	pool  *pgxpool.Pool
	users int
	gone  bool // forgotten: closed by the last user
}

var errClosed = errors.New("the databases are closed")

func newPools(size int, open func(ctx context.Context, name string) (*pgxpool.Pool, error)) *pools {
	return &pools{open: open, size: size, known: map[string]*list.Element{}, recent: list.New(), freed: make(chan struct{})}
}

// with calls use with the pool of a database; the pool stays open for that long.
func (p *pools) with(ctx context.Context, name string, use func(*pgxpool.Pool) error) error {
	e, err := p.take(ctx, name)
	if err != nil {
		return err
	}
	defer p.give(e)
	return use(e.pool)
}

func (p *pools) take(ctx context.Context, name string) (*entry, error) {
	for {
		e, wait, err := p.try(ctx, name)
		if e != nil || err != nil {
			return e, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try returns the entry, or what to wait for when all others are in use.
func (p *pools) try(ctx context.Context, name string) (*entry, <-chan struct{}, error) {
	p.mu.Lock()
	defer p.unlock()
	if p.closed {
		return nil, nil, errClosed
	}
	if at, ok := p.known[name]; ok {
		p.recent.MoveToFront(at)
		e := at.Value.(*entry)
		e.users++
		return e, nil, nil
	}
	if p.recent.Len() >= p.size && !p.evict() {
		return nil, p.freed, nil
	}
	pool, err := p.open(ctx, name) // connects lazily: nothing is waited for under the lock
	if err != nil {
		return nil, nil, err
	}
	e := &entry{name: name, pool: pool, users: 1}
	p.known[name] = p.recent.PushFront(e)
	return e, nil, nil
}

// evict closes the pool that was not used for longest, of those that nobody uses.
func (p *pools) evict() bool {
	for at := p.recent.Back(); at != nil; at = at.Prev() {
		if e := at.Value.(*entry); e.users == 0 {
			p.drop(at)
			return true
		}
	}
	return false
}

// drop takes an entry out; the last user closes the pool, or we do.
func (p *pools) drop(at *list.Element) {
	e := at.Value.(*entry)
	p.recent.Remove(at)
	delete(p.known, e.name)
	e.gone = true
	if e.users == 0 {
		p.unused = append(p.unused, e.pool)
	}
	p.signal()
}

// unlock gives the lock back before it closes what fell out of use: to take leave of a database that does not answer takes seconds,
// for which nobody else should wait.
func (p *pools) unlock() {
	unused := p.unused
	p.unused = nil
	p.mu.Unlock()
	for _, pool := range unused {
		pool.Close()
	}
}

func (p *pools) signal() {
	close(p.freed)
	p.freed = make(chan struct{})
}

func (p *pools) give(e *entry) {
	p.mu.Lock()
	defer p.unlock()
	if e.users--; e.users > 0 {
		return
	}
	if e.gone {
		p.unused = append(p.unused, e.pool)
	}
	p.signal()
}

// forget closes the pool of a database that is about to be dropped.
func (p *pools) forget(name string) {
	p.mu.Lock()
	defer p.unlock()
	if at, ok := p.known[name]; ok {
		p.drop(at)
	}
}

func (p *pools) close() {
	p.mu.Lock()
	defer p.unlock()
	p.closed = true
	for at := p.recent.Front(); at != nil; at = p.recent.Front() {
		p.drop(at)
	}
}
