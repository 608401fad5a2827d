// Package fairshare divides what tenants share and have little of: workers for expensive requests, connections to a database.
//
// A [Queue] has a number of slots. A tenant holds at most its share of them, however much it asks for, so that there is nearly always
// one for somebody else at once. Who finds none waits in the line of its own tenant; of the lines that may be served, that one is whose
// tenant has had least by its weight. This is start-time fair queueing (Goyal, Vin, Cheng 1996): over any time in which two tenants
// both wait, what they get differs by no more than one turn each from the ratio of their weights. A tenant that comes back after a
// while begins with the others, and has saved nothing up.
//
// Lines are bounded: who would have to wait behind too many of its own is refused at once. Who stops waiting gives its place back,
// and it was never charged for it. The queue is of one process; each has as many connections as it has.
package fairshare

import (
	"context"
	"errors"
	"sync"

	"github.com/partywall/partywall/reference/tenant"
)

// ErrBusy means that the tenant has too much waiting already.
var ErrBusy = errors.New("the tenant has too much under way; some of it must be done first")

// Queue of the tenants' work. Its fields are set before it is used.
type Queue struct {
	Slots   int // how much goes on at once
	Each    int // of one tenant; 0: as much as there is
	Waiting int // how much of one tenant may wait
	// Weight of a tier, at least 1; nil: all weigh the same.
	Weight func(tier string) int

	mu     sync.Mutex
	busy   int // slots
	queued int // tickets that wait
	clock  float64
	serve  int64 // counts turns, to serve equals in the order of their coming
	lines  map[tenant.ID]*line
	many   int // how many lines there may be before those that owe nothing any more are looked for
}

// line is what one tenant does and waits for.
type line struct {
	running int
	waiting []*ticket
	next    float64 // when its next turn begins, by the clock of the queue
	since   int64   // when it began to wait, in turns
}

// ticket is one who asked.
type ticket struct {
	of      tenant.ID
	weight  int
	granted chan struct{} // closed when it is its turn
}

// Enter waits for a slot for the tenant in the context. leave gives it back, once. It returns the context's error when that ends
// first, and ErrBusy when too much of the tenant waits.
func (q *Queue) Enter(ctx context.Context) (leave func(), err error) {
	id, err := tenant.From(ctx)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := &ticket{of: id.Tenant, weight: 1, granted: make(chan struct{})}
	if q.Weight != nil {
		t.weight = max(1, q.Weight(id.Tier))
	}
	if !q.ask(t) {
		return nil, ErrBusy
	}
	select {
	case <-t.granted:
		return sync.OnceFunc(func() { q.leave(t) }), nil
	case <-ctx.Done():
		q.forgo(t)
		return nil, ctx.Err()
	}
}

// ask puts a ticket into its line; false when that is full.
func (q *Queue) ask(t *ticket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines == nil {
		q.lines = map[tenant.ID]*line{}
	}
	l := q.lines[t.of]
	if l == nil {
		l = &line{}
		q.lines[t.of] = l
	}
	if len(l.waiting) == 0 {
		l.next, l.since = max(l.next, q.clock), q.serve
	}
	l.waiting = append(l.waiting, t)
	q.queued++
	q.turns()
	if len(l.waiting) > q.Waiting {
		l.waiting = l.waiting[:len(l.waiting)-1] // it is the last, and was not served
		q.queued--
		q.forget(t.of)
		return false
	}
	return true
}

// turns serves as many as there are slots for.
func (q *Queue) turns() {
	for q.busy < q.Slots {
		l := q.first()
		if l == nil {
			return
		}
		t := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		q.queued--
		q.clock = max(q.clock, l.next)
		l.next += 1 / float64(t.weight)
		q.serve++
		l.since = q.serve
		l.running++
		q.busy++
		close(t.granted)
	}
}

// first is the line that is to be served next, nil when none may be.
func (q *Queue) first() (first *line) {
	for _, l := range q.lines {
		if len(l.waiting) == 0 || q.Each > 0 && l.running >= q.Each {
			continue
		}
		if first == nil || l.next < first.next || l.next == first.next && l.since < first.since {
			first = l
		}
	}
	return first
}

// leave gives a slot back.
func (q *Queue) leave(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lines[t.of].running--
	q.busy--
	q.turns()
	q.forget(t.of)
}

// forgo takes a ticket out of its line; where it was served in the same moment, its slot is given back.
func (q *Queue) forgo(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[t.of]
	for i, other := range l.waiting {
		if other == t {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			q.queued--
			q.forget(t.of)
			return
		}
	}
	l.running--
	q.busy--
	q.turns()
	q.forget(t.of)
}

// forget a tenant that does nothing and owes nothing: its time has come by the clock, or nobody waits whom it could be served before.
// Who still owed something when it went is looked at again when there are many.
func (q *Queue) forget(id tenant.ID) {
	if q.owesNothing(q.lines[id]) {
		delete(q.lines, id)
	}
	if len(q.lines) > q.many {
		for other, l := range q.lines {
			if q.owesNothing(l) {
				delete(q.lines, other)
			}
		}
		q.many = max(64, 2*len(q.lines))
	}
	if q.busy == 0 && q.queued == 0 {
		clear(q.lines)
		q.clock = 0
	}
}

func (q *Queue) owesNothing(l *line) bool {
	return l.running == 0 && len(l.waiting) == 0 && (l.next <= q.clock || q.queued == 0)
}
