package jobs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
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
	parked = "jobs:parked" // of tenants that are not open, or whose jobs are all to be tried again, with the time when they are looked at
	turns  = "jobs:turns"  // of each that is busy, whose turn it is: a worker that was given up has no say any more
)

// What stands beside a queue, behind its key.
const (
	later = ":later" // jobs that failed, by when they are tried again
	spent = ":spent" // tries that were made, by when they are forgotten
	dead  = ":dead"  // jobs that were given up, the last one first
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
if redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[2]) then return 0 end
if redis.call('RPUSH', KEYS[1], ARGV[1]) == 1 then
	redis.call('ZREM', KEYS[3], KEYS[1])
	redis.call('RPUSH', KEYS[2], KEYS[1])
end
return 1`)

func (q *Queue) add(ctx context.Context, id tenant.Identity, text string) (bool, error) {
	limit := q.Limit
	if quota := q.Quotas[id.Tier]; quota > 0 {
		limit = quota
	}
	n, err := addScript.Run(ctx, q.Client, []string{Key(id.Tenant), ready, parked, Key(id.Tenant) + later}, text, limit).Int()
	return n == 1, err
}

// A turn is the right to do the first job of a queue.
type turn struct{ queue, token, text string }

// takeScript puts what is to be tried again by now behind what waits. It passes over queues that have no job: their tenants were
// deleted, or it parks them until there is one.
var takeScript = redis.NewScript(`
while true do
	local queue = redis.call('LPOP', KEYS[1])
	if not queue then return false end
	for _, text in ipairs(redis.call('ZRANGEBYSCORE', queue .. ':later', '-inf', ARGV[3])) do
		redis.call('ZREM', queue .. ':later', text)
		redis.call('RPUSH', queue, text)
	end
	local text = redis.call('LINDEX', queue, 0)
	if text then
		redis.call('ZADD', KEYS[2], ARGV[2], queue)
		redis.call('HSET', KEYS[3], queue, ARGV[1])
		return {queue, text}
	end
	local soonest = redis.call('ZRANGE', queue .. ':later', 0, 0, 'WITHSCORES')
	if soonest[2] then redis.call('ZADD', KEYS[4], soonest[2], queue) end
end`)

// take begins the turn of the queue whose turn comes. The job stays in the queue until it is done.
func (q *Queue) take(ctx context.Context) (t turn, ok bool, err error) {
	token := rand.Text()
	got, err := takeScript.Run(ctx, q.Client, []string{ready, busy, turns, parked}, token, q.millis(lease), q.millis(0)).StringSlice()
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

// settleScript removes a job, remembers the try, lays the job aside for later or for good, and gives the queue another turn when it has
// more.
var settleScript = redis.NewScript(mine + `
redis.call('LREM', KEYS[2], 1, ARGV[2])
redis.call('HDEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], KEYS[2])
local later, spent, dead = KEYS[2] .. ':later', KEYS[2] .. ':spent', KEYS[2] .. ':dead'
if ARGV[5] ~= '' then
	redis.call('ZREMRANGEBYSCORE', spent, '-inf', ARGV[3])
	redis.call('ZADD', spent, ARGV[4], ARGV[5])
	redis.call('PEXPIRE', spent, ARGV[4] - ARGV[3])
end
if ARGV[7] ~= '' then redis.call('ZADD', later, ARGV[6], ARGV[7]) end
if ARGV[8] ~= '' then
	redis.call('LPUSH', dead, ARGV[8])
	redis.call('LTRIM', dead, 0, ARGV[9] - 1)
	redis.call('PEXPIRE', dead, ARGV[10])
end
local soonest = redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')
if redis.call('LLEN', KEYS[2]) > 0 then redis.call('RPUSH', KEYS[4], KEYS[2])
elseif soonest[2] then redis.call('ZADD', KEYS[5], soonest[2], KEYS[2]) end
return 1`)

// settle ends a turn with its job: done, or tried and failed. Of an envelope that is not a good one nothing is kept.
func (q *Queue) settle(ctx context.Context, t turn, e envelope, failed error) (err error) {
	var ticket, again, given string
	if e.Nonce != "" {
		ticket = e.ticket()
	}
	switch {
	case failed == nil || e.Nonce == "":
	case e.hopeless(failed):
		if given, err = q.died(e, failed); err != nil {
			return err
		}
	default:
		next := e
		next.Try++
		if again, err = q.sealed(next); err != nil {
			return err
		}
	}
	return settleScript.Run(ctx, q.Client, []string{turns, t.queue, busy, ready, parked}, t.token, t.text,
		q.millis(0), q.millis(expiry+2*ahead), ticket, q.millis(backoff(e.Try)), again, given, keptDead, deadFor.Milliseconds()).Err()
}

// spent tells whether a try was made already.
func (q *Queue) spent(ctx context.Context, queue string, e envelope) (bool, error) {
	err := q.Client.ZScore(ctx, queue+spent, e.ticket()).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return err == nil, err
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
		p.Del(ctx, key, key+later, key+spent, key+dead)
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

// Key of a tenant's queue: "t:<digest of the tenant>:jobs".
func Key(id tenant.ID) string {
	sum := sha256.Sum256([]byte(id))
	return "t:" + hex.EncodeToString(sum[:8]) + ":jobs"
}
