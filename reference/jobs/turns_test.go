package jobs

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// flaky is a connection that fails once: the command is done and its answer is lost, or it is not done at all.
type flaky struct {
	in     int // commands from now on
	before bool
}

var errGone = errors.New("the connection is gone")

func (f *flaky) DialHook(next redis.DialHook) redis.DialHook { return next }
func (f *flaky) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if f.in--; f.in != 0 {
			return next(ctx, cmd)
		}
		if !f.before {
			_ = next(ctx, cmd)
		}
		cmd.SetErr(errGone)
		return errGone
	}
}

func (f *flaky) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if f.in--; f.in != 0 {
			return next(ctx, cmds)
		}
		if !f.before {
			_ = next(ctx, cmds)
		}
		return errGone
	}
}

// TestFailsOnce: whichever command to Redis fails, before or after it was done, no job is lost and no tenant stays behind: after the
// lease at the latest all are done.
func TestFailsOnce(t *testing.T) {
	for _, before := range []bool{true, false} {
		for in, tried := 1, true; tried; in++ {
			q, did := open(t, "a", "b")
			now := time.Now()
			q.Now = func() time.Time { return now }
			for _, id := range []string{"1", "2"} {
				if err := errors.Join(q.Enqueue(as(t, "a"), Job{Kind: "say", ID: id}), q.Enqueue(as(t, "b"), Job{Kind: "say", ID: id})); err != nil {
					t.Fatal(err)
				}
			}
			broken := &flaky{in: in, before: before}
			q.Client.AddHook(broken)
			done := map[string]bool{}
			for range 3 {
				for q.next(t.Context()) {
				}
				now = now.Add(lease + time.Millisecond)
				if err := q.wakeUp(t.Context()); err != nil && !errors.Is(err, errGone) {
					t.Fatal(err)
				}
			}
			for len(did) > 0 {
				done[<-did] = true
			}
			if len(done) != 4 {
				t.Errorf("when command %d fails, before it is done: %v, only %v are done", in, before, done)
			}
			tried, broken.in = broken.in <= 0, 0
			empty(t, q)
		}
	}
}

// TestLease: a worker that is not heard of loses its turn, to one; what it does later about it has no effect. One that is heard of
// keeps it.
func TestLease(t *testing.T) {
	q, _ := open(t, "a")
	now, ctx := time.Now(), t.Context()
	q.Now = func() time.Time { return now }
	for _, id := range []string{"1", "2"} {
		if err := q.Enqueue(as(t, "a"), Job{Kind: "say", ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	take := func(want bool) turn {
		t.Helper()
		if err := q.wakeUp(ctx); err != nil {
			t.Fatal(err)
		}
		got, ok, err := q.take(ctx)
		if err != nil || ok != want {
			t.Fatalf("a turn: %v, %v", ok, err)
		}
		return got
	}
	first := take(true)
	now = now.Add(lease - time.Millisecond)
	take(false)
	if ok, err := q.keep(ctx, first); err != nil || !ok {
		t.Errorf("it is heard of: %v, %v", ok, err)
	}
	now = now.Add(lease - time.Millisecond)
	take(false)
	now = now.Add(2 * time.Millisecond)
	second := take(true)
	if second.text != first.text {
		t.Error("the job that was not done was passed over")
	}
	ok, kept := q.keep(ctx, first)
	if err := errors.Join(kept, q.settle(ctx, first, envelope{}, nil), q.park(ctx, first, 0)); err != nil || ok {
		t.Errorf("after its turn: %v, %v", ok, err)
	}
	take(false)
	if err := q.settle(ctx, second, envelope{}, nil); err != nil {
		t.Fatal(err)
	}
	if third := take(true); third.text == first.text {
		t.Error("it is done twice")
	}
}
