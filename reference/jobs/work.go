package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// next does one job of the queue whose turn it is; false when there is none.
func (q *Queue) next(ctx context.Context) bool {
	t, ok, err := q.take(ctx)
	if err != nil && ctx.Err() == nil {
		q.Log.WarnContext(ctx, "the queue of jobs cannot be reached", "error", err)
	}
	if err != nil || !ok {
		return false
	}
	q.signal() // there may be more for the others
	working, stop := q.kept(ctx, t)
	e, err := q.run(working, t.queue, t.text)
	stop()
	if err != nil && !errors.Is(err, errLater) {
		// The envelope is not shown: who made it may not be who it says.
		q.Log.WarnContext(ctx, "a job failed", "error", err)
	}
	settled := context.WithoutCancel(ctx)
	switch {
	case errors.Is(err, errLater) && ctx.Err() != nil:
		err = q.park(settled, t, 0)
	case errors.Is(err, errLater):
		err = q.park(settled, t, closedFor)
	default:
		err = q.settle(settled, t, e, err)
	}
	if err != nil { // somebody else has its turn when its lease is over
		q.Log.WarnContext(ctx, "the queue of jobs cannot be reached", "error", err)
	}
	return true
}

// kept keeps a turn until stop is called. Its context ends when the turn is somebody else's.
func (q *Queue) kept(ctx context.Context, t turn) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() {
		ticker := time.NewTicker(lease / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if ok, err := q.keep(ctx, t); err == nil && !ok {
					cancel()
				}
			}
		}
	})
	return ctx, func() {
		cancel()
		keeping.Wait()
	}
}

// run does a job that was found in a queue, and returns its envelope if it is a good one. It is the only place, beside the chain of
// requests, that puts an identity into a context.
func (q *Queue) run(ctx context.Context, queue, text string) (e envelope, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the job panicked: %v", p)
		}
	}()
	if e, err = q.open(queue, text); err != nil {
		return e, err
	}
	spent, err := q.spent(ctx, queue, e)
	if err != nil {
		return e, fmt.Errorf("%w: %w", errLater, err)
	}
	if spent {
		return envelope{}, ErrSpent
	}
	defer q.Enter(e.Tenant)()
	ctx, cancel := q.UntilClosed(ctx, e.Tenant)
	defer cancel()
	identity, err := q.Gate(ctx, tenant.Identity{Tenant: e.Tenant, User: e.User, Role: e.Role})
	if err != nil {
		return e, fmt.Errorf("%w: %w", errLater, err)
	}
	do, ok := q.Do[e.Job.Kind]
	if !ok {
		return e, ErrUnknown
	}
	e.Job.Last = e.Try == tries-1
	err = do(q.Context(ctx, identity), e.Job)
	if err != nil && ctx.Err() != nil {
		return e, fmt.Errorf("%w: %w", errLater, err) // it was stopped
	}
	return e, err
}
