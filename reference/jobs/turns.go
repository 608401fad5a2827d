package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Lists of the tenants that have jobs. A tenant is in one of them, once.
const (
	ready  = "jobs:ready"  // whose turn comes, in this order
	busy   = "jobs:busy"   // whose first job is being done
	parked = "jobs:parked" // that are not open just now; they are tried again every second
)

// addScript gives a tenant its turn with its first job.
var addScript = redis.NewScript(`
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
if redis.call('RPUSH', KEYS[1], ARGV[2]) == 1 then redis.call('RPUSH', KEYS[2], ARGV[1]) end
return 1`)

func (q *Queue) add(ctx context.Context, id tenant.Identity, text string) (bool, error) {
	limit := q.Limit
	if quota := q.Quotas[id.Tier]; quota > 0 {
		limit = quota
	}
	n, err := addScript.Run(ctx, q.Client, []string{Key(id.Tenant), ready}, string(id.Tenant), text, limit).Int()
	return n == 1, err
}

// take returns the first job of the tenant whose turn it is; an empty one when it has none left. The job stays in the queue
// until it is done.
func (q *Queue) take(ctx context.Context) (id tenant.ID, text string, ok bool, err error) {
	name, err := q.Client.LMove(ctx, ready, busy, "LEFT", "RIGHT").Result()
	if errors.Is(err, redis.Nil) {
		return "", "", false, nil
	}
	if err != nil {
		return "", "", false, fmt.Errorf("take a job: %w", err)
	}
	id = tenant.ID(name)
	text, err = q.Client.LIndex(ctx, Key(id), 0).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", "", false, fmt.Errorf("take a job: %w", err)
	}
	return id, text, true, nil
}

// doneScript removes a job, and gives the tenant another turn when it has more.
var doneScript = redis.NewScript(`
redis.call('LREM', KEYS[1], 1, ARGV[2])
redis.call('LREM', KEYS[3], 0, ARGV[1])
if redis.call('LLEN', KEYS[1]) > 0 then redis.call('RPUSH', KEYS[2], ARGV[1]) end
return 1`)

func (q *Queue) done(ctx context.Context, id tenant.ID, text string) error {
	return doneScript.Run(ctx, q.Client, []string{Key(id), ready, busy}, string(id), text).Err()
}

func (q *Queue) park(ctx context.Context, id tenant.ID) error {
	_, err := q.Client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.LRem(ctx, busy, 0, string(id))
		p.RPush(ctx, parked, string(id))
		return nil
	})
	return err
}

// move takes all tenants from one list to the end of another.
func (q *Queue) move(ctx context.Context, from, to string) error {
	for {
		err := q.Client.LMove(ctx, from, to, "LEFT", "RIGHT").Err()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("move the jobs' turns: %w", err)
		}
	}
}
