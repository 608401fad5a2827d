package lifecycle

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// drainFor is how long a deletion waits for requests that began before it. It may be repeated after that.
const drainFor = 30 * time.Second

// presence counts the requests of each tenant that are on their way. A purge must come after the last of them: an upload
// that began while the tenant was open would else be written behind it.
//
// It sees this process. Several of them in front of one store would each have to say that they are done.
type presence struct {
	mu    sync.Mutex
	count map[tenant.ID]int
	empty map[tenant.ID]chan struct{} // closed when the count falls to zero
	ends  map[tenant.ID]end           // of those who would stay for ever
}

// end is a context that a drain cancels.
type end struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// Enter counts a request of the tenant until leave is called. It must come before the tenant's status is looked at.
func (m *Manager) Enter(id tenant.ID) (leave func()) {
	p := &m.present
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == nil {
		p.count, p.empty, p.ends = map[tenant.ID]int{}, map[tenant.ID]chan struct{}{}, map[tenant.ID]end{}
	}
	p.count[id]++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.count[id]--; p.count[id] > 0 {
			return
		}
		delete(p.count, id)
		if e, ok := p.ends[id]; ok {
			e.cancel()
			delete(p.ends, id)
		}
		if waiting, ok := p.empty[id]; ok {
			close(waiting)
			delete(p.empty, id)
		}
	})
}

// UntilClosed is a context for what would stay for ever, or for long: it ends when the tenant is closed. The caller has
// entered, and cancels it before it leaves.
func (m *Manager) UntilClosed(ctx context.Context, id tenant.ID) (context.Context, context.CancelFunc) {
	p := &m.present
	p.mu.Lock()
	closed := p.end(id).ctx
	p.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(closed, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// end of a tenant that somebody is at. It stays cancelled until the last has left: who came before the drain but asks after it
// is told as well. The lock is held.
func (p *presence) end(id tenant.ID) end {
	e, ok := p.ends[id]
	if !ok {
		e.ctx, e.cancel = context.WithCancel(context.Background())
		p.ends[id] = e
	}
	return e
}

// drain ends what would stay, and waits until no request of the tenant is on its way.
func (p *presence) drain(ctx context.Context, id tenant.ID) error {
	ctx, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	p.mu.Lock()
	if p.count[id] == 0 {
		p.mu.Unlock()
		return nil
	}
	waiting, ok := p.empty[id]
	if !ok {
		waiting = make(chan struct{})
		p.empty[id] = waiting
	}
	p.end(id).cancel()
	p.mu.Unlock()
	select {
	case <-waiting:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("requests of the tenant are still on their way; delete it again later: %w", ctx.Err())
	}
}
