// Package jobs does work for tenants after their requests were answered.
//
// A job travels in a sealed envelope that says for whom it is done. A worker that takes one passes the same door as a
// request does: the seal is verified, the tenant must be open, and only then is there a tenant in the context. Who can write
// to the queue can therefore repeat what a tenant asked for, at most for an hour, and nothing else.
//
// Each tenant has a queue of its own and does one job at a time; tenants take turns, so that none waits behind the many
// jobs of another.
package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Errors of this package.
var (
	ErrFull    = errors.New("the tenant has too much work waiting")
	ErrForged  = errors.New("the envelope is not one that was made for this queue")
	ErrExpired = errors.New("the job waited too long")
	ErrUnknown = errors.New("nobody does this kind of job")

	errLater   = errors.New("the tenant is not open")
	errStarted = errors.New("the queue of jobs has its workers already")
)

// expiry is how long a job may wait. A job that was done once and is put back is known by its id to who does it.
const expiry = time.Hour

// Job is one piece of work.
type Job struct {
	Kind string          `json:"kind"`
	ID   string          `json:"id"` // of what it is about
	Data json.RawMessage `json:"data,omitempty"`
}

// envelope is what travels.
type envelope struct {
	Tenant tenant.ID `json:"tenant"`
	User   string    `json:"user"`
	Role   string    `json:"role"`
	At     time.Time `json:"at"`
	Job    Job       `json:"job"`
}

// A Seal marks envelopes: what Open returns was given to Sign.
type Seal interface {
	Sign(content string, bound ...string) string
	Open(text string, bound ...string) (string, error)
}

// Queue of the tenants' jobs. All fields are set before Start.
type Queue struct {
	Client *redis.Client
	Seal   Seal
	// Enter counts the job as being on its way, so that a tenant's deletion waits for it; UntilClosed tells it to end then.
	Enter       func(id tenant.ID) (leave func())
	UntilClosed func(ctx context.Context, id tenant.ID) (context.Context, context.CancelFunc)
	// Gate is the one that requests pass.
	Gate func(ctx context.Context, id tenant.Identity) (tenant.Identity, error)
	// Do has who does the jobs of each kind. A job whose worker was stopped is done again.
	Do map[string]func(ctx context.Context, j Job) error
	// Limit of the jobs of a tenant that wait; Workers that work side by side.
	Limit, Workers int
	Now            func() time.Time
	Log            *slog.Logger

	wake    chan struct{}
	stop    context.CancelFunc
	working sync.WaitGroup
}

// New returns a queue that nobody works at yet.
func New(client *redis.Client, seal Seal) *Queue {
	return &Queue{
		Client: client, Seal: seal, Limit: 1000, Workers: 4, Now: time.Now, Log: slog.New(slog.DiscardHandler), wake: make(chan struct{}, 1),
		Do: map[string]func(context.Context, Job) error{},
	}
}

// Enqueue has a job done for the tenant and user in the context; ErrFull when too many wait.
func (q *Queue) Enqueue(ctx context.Context, j Job) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	content, err := json.Marshal(envelope{Tenant: id.Tenant, User: id.User, Role: id.Role, At: q.Now(), Job: j})
	if err != nil {
		return err
	}
	ok, err := q.add(ctx, id.Tenant, q.Seal.Sign(string(content), purpose))
	if err != nil {
		return fmt.Errorf("queue a job: %w", err)
	}
	if !ok {
		return ErrFull
	}
	q.signal()
	return nil
}

// purpose binds an envelope to being one.
const purpose = "job"

func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default: // somebody is about to look
	}
}

// Start has workers work until Close.
func (q *Queue) Start(ctx context.Context) error {
	if q.stop != nil {
		return errStarted
	}
	ctx, q.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := q.wakeUp(ctx); err != nil {
		q.stop()
		q.stop = nil
		return fmt.Errorf("look for jobs: %w", err)
	}
	for range q.Workers {
		q.working.Go(func() {
			for ctx.Err() == nil {
				if q.next(ctx) {
					continue
				}
				select {
				case <-q.wake:
				case <-ctx.Done():
				}
			}
		})
	}
	q.working.Go(func() {
		ticker := time.NewTicker(time.Second) // other processes queue jobs too, and tenants are opened again
		defer ticker.Stop()
		for {
			q.signal()
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if err := q.wakeUp(ctx); err != nil && ctx.Err() == nil {
					q.Log.WarnContext(ctx, "the queue of jobs cannot be reached", "error", err)
				}
			}
		}
	})
	return nil
}

// Close stops the workers and waits for them. Jobs that they were at stay in the queue.
func (q *Queue) Close() {
	if q.stop == nil {
		return
	}
	q.stop()
	q.working.Wait()
	q.stop = nil
}

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
	err = q.run(working, t.queue, t.text)
	stop()
	settled := context.WithoutCancel(ctx)
	switch {
	case errors.Is(err, errLater) && ctx.Err() != nil:
		err = q.park(settled, t, 0)
	case errors.Is(err, errLater):
		err = q.park(settled, t, closedFor)
	case err != nil:
		// The envelope is not shown: who made it may not be who it says.
		q.Log.WarnContext(ctx, "a job failed", "error", err)
		fallthrough
	default:
		err = q.done(settled, t)
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

// run does a job that was found in a queue. It is the only place, beside the chain of requests, that puts an identity
// into a context.
func (q *Queue) run(ctx context.Context, queue, text string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the job panicked: %v", p)
		}
	}()
	e, err := q.open(queue, text)
	if err != nil {
		return err
	}
	defer q.Enter(e.Tenant)()
	ctx, cancel := q.UntilClosed(ctx, e.Tenant)
	defer cancel()
	identity, err := q.Gate(ctx, tenant.Identity{Tenant: e.Tenant, User: e.User, Role: e.Role})
	if err != nil {
		return fmt.Errorf("%w: %w", errLater, err)
	}
	do, ok := q.Do[e.Job.Kind]
	if !ok {
		return ErrUnknown
	}
	err = do(tenant.NewContext(ctx, identity), e.Job)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errLater, err) // it was stopped
	}
	return err
}

// open verifies an envelope that was found in a queue.
func (q *Queue) open(queue, text string) (e envelope, err error) {
	content, err := q.Seal.Open(text, purpose)
	if err != nil || json.Unmarshal([]byte(content), &e) != nil || Key(e.Tenant) != queue {
		return e, ErrForged
	}
	if e.Tenant == "" {
		return e, tenant.ErrMissing
	}
	if q.Now().Sub(e.At) > expiry {
		return e, ErrExpired
	}
	return e, nil
}

// Key of a tenant's queue: "t:<digest of the tenant>:jobs".
func Key(id tenant.ID) string {
	sum := sha256.Sum256([]byte(id))
	return "t:" + hex.EncodeToString(sum[:8]) + ":jobs"
}
