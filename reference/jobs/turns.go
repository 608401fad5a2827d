package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Where the queues stand that have jobs. Each is in one of them, once, and every step from one to another is one script: it is made,
// or it is not, and who does not hear which it was has lost nothing.
const (
	ready  = "jobs:ready"  // whose turn comes, in this order
	busy   = "jobs:busy"   // whose first job is being done, with the time until which its worker has it
	parked = "jobs:parked" // of tenants that are not open just now, with the time when they are tried again
	turns  = "jobs:turns"  // of each that is busy, whose turn it is: a worker that was given up has no say any more
)

const (
	// lease is how long a worker that is not heard of keeps a queue to itself. It is heard of three times as often.
	lease = 30 * time.Second
	// closedFor is how long the queue of a tenant that is not open is left alone.
	closedFor = time.Second
)

func (q *Queue) millis(in time.Duration) int64 { return q.Now().Add(in).UnixMilli() }

// addScript gives a queue its turn with its first job.
var addScript = redis.NewScript(`
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
if redis.call('RPUSH', KEYS[1], ARGV[1]) == 1 then redis.call('RPUSH', KEYS[2], KEYS[1]) end
return 1`)

func (q *Queue) add(ctx context.Context, id tenant.ID, text string) (bool, error) {
	n, err := addScript.Run(ctx, q.Client, []string{Key(id), ready}, text, q.Limit).Int()
	return n == 1, err
}

// A turn is the right to do the first job of a queue.
type turn struct{ queue, token, text string }

// takeScript passes over queues that have no job: their tenants were deleted.
var takeScript = redis.NewScript(`
while true do
	local queue = redis.call('LPOP', KEYS[1])
	if not queue then return false end
	local text = redis.call('LINDEX', queue, 0)
	if text then
		redis.call('ZADD', KEYS[2], ARGV[2], queue)
		redis.call('HSET', KEYS[3], queue, ARGV[1])
		return {queue, text}
	end
end`)

// take begins the turn of the queue whose turn comes. The job stays in the queue until it is done.
func (q *Queue) take(ctx context.Context) (t turn, ok bool, err error) {
	token := rand.Text()
	got, err := takeScript.Run(ctx, q.Client, []string{ready, busy, turns}, token, q.millis(lease)).StringSlice()
	if errors.Is(err, redis.Nil) {
		return turn{}, false, nil
	}
	if err != nil || len(got) != 2 {
		return turn{}, false, fmt.Errorf("take a job: %w", err)
	}
	return turn{queue: got[0], token: token, text: got[1]}, true, nil
}

// mine begins each script that ends or keeps a turn.
const mine = `if redis.call('HGET', KEYS[1], KEYS[2]) ~= ARGV[1] then return 0 end
`

var keepScript = redis.NewScript(mine + `return redis.call('ZADD', KEYS[3], 'XX', 'CH', ARGV[2], KEYS[2])`)

// keep tells that a worker is still at it; false when its turn is over.
func (q *Queue) keep(ctx context.Context, t turn) (bool, error) {
	n, err := keepScript.Run(ctx, q.Client, []string{turns, t.queue, busy}, t.token, q.millis(lease)).Int()
	return n > 0, err
}

// doneScript removes a job, and gives the queue another turn when it has more.
var doneScript = redis.NewScript(mine + `
redis.call('LREM', KEYS[2], 1, ARGV[2])
redis.call('HDEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], KEYS[2])
if redis.call('LLEN', KEYS[2]) > 0 then redis.call('RPUSH', KEYS[4], KEYS[2]) end
return 1`)

func (q *Queue) done(ctx context.Context, t turn) error {
	return doneScript.Run(ctx, q.Client, []string{turns, t.queue, busy, ready}, t.token, t.text).Err()
}

var parkScript = redis.NewScript(mine + `
redis.call('HDEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], KEYS[2])
redis.call('ZADD', KEYS[4], ARGV[2], KEYS[2])
return 1`)

// park ends a turn without its job, which is tried again after a while.
func (q *Queue) park(ctx context.Context, t turn, wait time.Duration) error {
	return parkScript.Run(ctx, q.Client, []string{turns, t.queue, busy, parked}, t.token, q.millis(wait)).Err()
}

// wakeScript gives a turn to the queues whose time has come: those that were parked, and those whose worker is not heard of.
var wakeScript = redis.NewScript(`
for _, from in ipairs({KEYS[1], KEYS[2]}) do
	for _, queue in ipairs(redis.call('ZRANGEBYSCORE', from, '-inf', ARGV[1])) do
		redis.call('ZREM', from, queue)
		redis.call('HDEL', KEYS[3], queue)
		redis.call('RPUSH', KEYS[4], queue)
	end
end
return 1`)

func (q *Queue) wakeUp(ctx context.Context) error {
	return wakeScript.Run(ctx, q.Client, []string{parked, busy, turns, ready}, q.millis(0)).Err()
}

// Purge removes all jobs of a tenant. It names the tenant because it is a lifecycle call.
func (q *Queue) Purge(ctx context.Context, id tenant.ID) error {
	key := Key(id)
	_, err := q.Client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, key)
		p.LRem(ctx, ready, 0, key)
		p.ZRem(ctx, busy, key)
		p.ZRem(ctx, parked, key)
		p.HDel(ctx, turns, key)
		return nil
	})
	if err != nil {
		return fmt.Errorf("purge the jobs: %w", err)
	}
	return nil
}
