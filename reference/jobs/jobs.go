// Package jobs does work for tenants after their requests were answered.
//
// A job travels in a sealed envelope that says for whom it is done. A worker that takes one passes the same door as a
// request does: the seal is verified, the tenant must be open, and only then is there a tenant in the context. Each envelope is made
// for one try in one queue, and a try that was made is remembered for as long as its envelope is good: who can write to the queue can
// neither make a job, nor have one done for somebody else, nor have one done again.
//
// Each tenant has a queue of its own and does one job at a time; tenants take turns, so that none waits behind the many
// jobs of another. That is why the queues are lists and a stream is not used: a consumer group hands out messages in the order in which
// they came, to whom it may concern, and a tenant with a thousand jobs would be served a thousand times before the next. What a group
// offers beside is here too: a worker that is not heard of loses its turn (see lease), and any number of processes may work.
//
// A job is done at least once. One that fails is tried again, after ever longer waits in which others of its tenant go on, and in the
// end is laid aside where the tenant's admins see it. What a part of a job did before it failed, who does it must be able to do again.
package jobs

import (
	"context"
	"crypto/rand"
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
	ErrSpent   = errors.New("this try of the job was made already")

	errLater   = errors.New("the tenant is not open")
	errStarted = errors.New("the queue of jobs has its workers already")
)

// Job is one piece of work.
type Job struct {
	Kind string          `json:"kind"`
	ID   string          `json:"id"` // of what it is about
	Data json.RawMessage `json:"data,omitempty"`
	// Last tells who does it that it is not tried again when it fails.
	Last bool `json:"-"`
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
	// Context is made anew for each job, and holds nothing of the one before.
	Context func(ctx context.Context, id tenant.Identity) context.Context
	// Do has who does the jobs of each kind. A job whose worker was stopped is done again.
	Do map[string]func(ctx context.Context, j Job) error
	// Limit of the jobs of a tenant that wait, where Quotas has none for its tier; Workers that work side by side.
	Limit, Workers int
	Quotas         map[string]int
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
		Context: tenant.NewContext, Do: map[string]func(context.Context, Job) error{},
	}
}

// Enqueue has a job done for the tenant and user in the context; ErrFull when too many wait.
func (q *Queue) Enqueue(ctx context.Context, j Job) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	text, err := q.sealed(envelope{Nonce: rand.Text(), Tenant: id.Tenant, User: id.User, Role: id.Role, At: q.Now(), Job: j})
	if err != nil {
		return err
	}
	ok, err := q.add(ctx, id, text)
	if err != nil {
		return fmt.Errorf("queue a job: %w", err)
	}
	if !ok {
		return ErrFull
	}
	q.signal()
	return nil
}

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
