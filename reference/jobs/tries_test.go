package jobs

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// pass lets time go by, and does what is due by then.
func pass(t *testing.T, q *Queue, now *time.Time, d time.Duration) {
	t.Helper()
	*now = now.Add(d)
	if err := q.wakeUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for q.next(t.Context()) {
	}
}

func given(t *testing.T, q *Queue, id tenant.ID) []Dead {
	t.Helper()
	list, err := q.Dead(as(t, id), 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestRetries: a job that fails is tried again, each time after a longer wait, while others of its tenant go on, and in the end is
// laid aside where its tenant alone sees it. Nothing else is kept of it.
func TestRetries(t *testing.T) {
	q, did := open(t, "a", "b")
	now := time.Now()
	q.Now = func() time.Time { return now }
	var last []bool
	q.Do["fail"] = func(_ context.Context, j Job) error {
		last = append(last, j.Last)
		return errors.New("secret of the service")
	}
	for _, j := range []Job{{Kind: "fail", ID: "1"}, {Kind: "say", ID: "2"}} {
		if err := q.Enqueue(as(t, "a"), j); err != nil {
			t.Fatal(err)
		}
	}
	pass(t, q, &now, 0)
	if said := <-did; said != "a 2" || len(last) != 1 {
		t.Errorf("behind a job that failed %s was said", said)
	}
	for try := range tries - 1 {
		pass(t, q, &now, backoff(try)-time.Millisecond)
		if len(last) != try+1 {
			t.Errorf("try %d came too early", try+2)
		}
		pass(t, q, &now, time.Millisecond)
		if len(last) != try+2 {
			t.Errorf("try %d did not come", try+2)
		}
	}
	pass(t, q, &now, 20*time.Minute)
	if !slices.Equal(last, []bool{false, false, false, false, true}) {
		t.Errorf("it was tried so: %v", last)
	}
	dead := given(t, q, "a")
	if len(dead) != 1 || dead[0].Object != "1" || dead[0].Tries != tries || dead[0].User != "alice" || dead[0].Reason != "it failed 5 times" {
		t.Errorf("given up: %+v", dead)
	}
	if others := given(t, q, "b"); len(others) > 0 {
		t.Errorf("a neighbour sees %v", others)
	}
	// What is put into the list of another, or is written by another, is not shown.
	text, err := q.Client.LIndex(t.Context(), Key("a")+":dead", 0).Result()
	if err == nil {
		err = q.Client.LPush(t.Context(), Key("b")+":dead", text, `{"id":"x"}`).Err()
	}
	if others := given(t, q, "b"); err != nil || len(others) > 0 {
		t.Errorf("a neighbour is shown %v, %v", others, err)
	}
	if _, err := q.Dead(t.Context(), 1); !errors.Is(err, tenant.ErrMissing) {
		t.Errorf("without a tenant: %v", err)
	}
	if err := errors.Join(q.Purge(t.Context(), "a"), q.Purge(t.Context(), "b")); err != nil {
		t.Error(err)
	}
	if keys := q.Client.Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("%v is left", keys)
	}
}

// TestGivenUpAtOnce: what cannot be done later either is not tried again; of what was forged nothing is shown.
func TestGivenUpAtOnce(t *testing.T) {
	q, did := open(t, "a")
	now := time.Now()
	q.Now = func() time.Time { return now }
	for _, kind := range []string{"nobody does it", "say"} {
		if err := q.Enqueue(as(t, "a"), Job{Kind: kind, ID: kind}); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Client.LPush(t.Context(), Key("a"), "forged").Err(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(expiry + time.Second)
	if err := q.Enqueue(as(t, "a"), Job{Kind: "nobody does it", ID: "now"}); err != nil {
		t.Fatal(err)
	}
	pass(t, q, &now, 0)
	pass(t, q, &now, time.Hour)
	var reasons []string
	for _, d := range given(t, q, "a") {
		reasons = append(reasons, d.Object+": "+d.Reason)
	}
	want := []string{"now: " + ErrUnknown.Error(), "say: " + ErrExpired.Error(), "nobody does it: " + ErrExpired.Error()}
	if !slices.Equal(reasons, want) || len(did) > 0 {
		t.Errorf("%q, and %d done", reasons, len(did))
	}
}

// TestReplay: an envelope that was done, or tried, is not taken a second time, however often it is put back.
func TestReplay(t *testing.T) {
	q, did := open(t, "a")
	now := time.Now()
	q.Now = func() time.Time { return now }
	failing := 0
	q.Do["fail"] = func(context.Context, Job) error { failing++; return errors.New("no") }
	for _, kind := range []string{"say", "fail"} {
		if err := q.Enqueue(as(t, "a"), Job{Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	texts, err := q.Client.LRange(t.Context(), Key("a"), 0, -1).Result()
	if err != nil || len(texts) != 2 {
		t.Fatal(texts, err)
	}
	put := func() {
		t.Helper()
		for _, text := range texts {
			err := errors.Join(q.Client.RPush(t.Context(), Key("a"), text, text).Err(), q.Client.RPush(t.Context(), ready, Key("a")).Err())
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	put()
	pass(t, q, &now, 0)
	put()
	pass(t, q, &now, time.Second)
	now = now.Add(expiry) // by then the envelope is too old itself
	put()
	pass(t, q, &now, 2*ahead)
	if len(did) != 1 || failing != 1 {
		t.Errorf("one was done %d times, and one tried %d times", len(did), failing)
	}
}

// TestProcesses: several processes share the queues, each tenant's jobs are done one at a time, and each once.
func TestProcesses(t *testing.T) {
	first, did := open(t, "a", "b")
	second := New(redis.NewClient(&redis.Options{Addr: first.Client.Options().Addr}), first.Seal)
	defer func() { _ = second.Client.Close() }()
	second.Enter, second.UntilClosed, second.Gate, second.Do, second.Workers = first.Enter, first.UntilClosed, first.Gate, first.Do, 4
	first.Workers = 4
	var mu sync.Mutex
	at := map[tenant.ID]int{}
	say := first.Do["say"]
	first.Do["say"] = func(ctx context.Context, j Job) error {
		id, err := tenant.From(ctx)
		if err != nil {
			return err
		}
		step := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			if at[id.Tenant] += n; at[id.Tenant] > 1 {
				t.Errorf("two jobs of %s at a time", id.Tenant)
			}
		}
		step(1)
		defer step(-1)
		return say(ctx, j)
	}
	for _, q := range []*Queue{first, second} {
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer q.Close()
	}
	want := map[string]bool{}
	for n := range 40 {
		for _, id := range []tenant.ID{"a", "b"} {
			job := Job{Kind: "say", ID: string(rune('A' + n))}
			want[string(id)+" "+job.ID] = true
			if err := []*Queue{first, second}[n%2].Enqueue(as(t, id), job); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 80 {
		said := <-did
		if !want[said] {
			t.Errorf("%s was done twice, or never asked for", said)
		}
		delete(want, said)
	}
}
