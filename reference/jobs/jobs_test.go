package jobs

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/tenant"
)

var errClosed = errors.New("closed")

// open returns a queue whose jobs say for whom they are done. Only the tenants named are open.
func open(t *testing.T, tenants ...tenant.ID) (*Queue, chan string) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	q, did := New(client, signing.NewSeal()), make(chan string, 100)
	q.Workers = 1
	q.Enter = func(tenant.ID) func() { return func() {} }
	q.UntilClosed = func(ctx context.Context, _ tenant.ID) (context.Context, context.CancelFunc) {
		return context.WithCancel(ctx)
	}
	q.Gate = func(_ context.Context, id tenant.Identity) (tenant.Identity, error) {
		for _, open := range tenants {
			if open == id.Tenant {
				return id, nil
			}
		}
		return tenant.Identity{}, errClosed
	}
	q.Do["say"] = func(ctx context.Context, j Job) error {
		id, err := tenant.From(ctx)
		did <- string(id.Tenant) + " " + j.ID
		return err
	}
	return q, did
}

func as(t *testing.T, id tenant.ID) context.Context {
	return tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, User: "alice", Role: "member"})
}

// first is the envelope at the head of a tenant's queue.
func first(t *testing.T, q *Queue, id tenant.ID) string {
	t.Helper()
	text, err := q.Client.LIndex(t.Context(), Key(id), 0).Result()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestEnvelope: an envelope that was forged, altered, brought into another queue, or has no tenant, is refused; and after a job
// of a tenant the worker remembers nothing of it.
func TestEnvelope(t *testing.T) {
	q, did := open(t, "a", "b")
	ctx := t.Context()
	if err := q.Enqueue(ctx, Job{Kind: "say", ID: "1"}); !errors.Is(err, tenant.ErrMissing) {
		t.Errorf("a job without a tenant: %v", err)
	}
	if err := q.Enqueue(as(t, "a"), Job{Kind: "say", ID: "1"}); err != nil {
		t.Fatal(err)
	}
	good := first(t, q, "a")
	other := signing.NewSeal()
	forged := `{"tenant":"a","user":"alice","role":"admin","at":"` + time.Now().Format(time.RFC3339) + `","job":{"kind":"say","id":"forged"}}`
	late := `{"tenant":"a","user":"alice","at":"` + time.Now().Add(-2*time.Hour).Format(time.RFC3339) + `","job":{"kind":"say","id":"late"}}`
	nobody := `{"at":"` + time.Now().Format(time.RFC3339) + `","job":{"kind":"say","id":"nobody"}}`
	for name, tc := range map[string]struct {
		queue tenant.ID
		text  string
		want  error
	}{
		"another key":               {"a", other.Sign(forged, "job"), ErrForged},
		"unsigned":                  {"a", forged, ErrForged},
		"a seal of another purpose": {"a", q.Seal.Sign(forged, "cursor"), ErrForged},
		"altered":                   {"a", "x" + good, ErrForged},
		"replayed for another":      {"b", good, ErrForged},
		"no tenant":                 {"", q.Seal.Sign(nobody, "job"), tenant.ErrMissing},
		"no tenant, in a's queue":   {"a", q.Seal.Sign(nobody, "job"), ErrForged},
		"too old":                   {"a", q.Seal.Sign(late, "job"), ErrExpired},
		"a closed tenant":           {"c", q.Seal.Sign(`{"tenant":"c",`+forged[len(`{"tenant":"a",`):], "job"), errClosed},
	} {
		if err := q.run(ctx, Key("a"), good); err != nil { // right after a job of a tenant, on the same worker
			t.Fatal(err)
		}
		if said := <-did; said != "a 1" {
			t.Errorf("it was done for %q", said)
		}
		if err := q.run(ctx, Key(tc.queue), tc.text); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if len(did) > 0 {
			t.Errorf("%s: it was done for %q", name, <-did)
		}
	}
}

// TestTurns: a tenant with much to do does not keep another waiting, and nothing is left of what was done.
func TestTurns(t *testing.T) {
	q, did := open(t, "a", "b")
	for range 20 {
		if err := q.Enqueue(as(t, "a"), Job{Kind: "say"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Enqueue(as(t, "b"), Job{Kind: "say"}); err != nil {
		t.Fatal(err)
	}
	q.Limit = 20
	if err := q.Enqueue(as(t, "a"), Job{Kind: "say"}); !errors.Is(err, ErrFull) {
		t.Errorf("one job too many: %v", err)
	}
	q.Do["boom"] = func(context.Context, Job) error { panic("boom") }
	if err := q.Enqueue(as(t, "b"), Job{Kind: "boom"}); err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 21 {
		if said := <-did; n == 1 != (said == "b ") {
			t.Errorf("job %d is done for %q", n, said)
		}
	}
	if err := q.Enqueue(as(t, "b"), Job{Kind: "say", ID: "after the panic"}); err != nil {
		t.Fatal(err)
	}
	<-did
	q.Close()
	empty(t, q)
}

// empty wants nothing to be left of any job.
func empty(t *testing.T, q *Queue) {
	t.Helper()
	if keys, err := q.Client.Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("%v is left, %v", keys, err)
	}
}

// TestStopped: a worker that is stopped tells its job to end, waits for it, and leaves it to the next one.
func TestStopped(t *testing.T) {
	q, did := open(t, "a")
	began := make(chan bool, 2)
	say := q.Do["say"]
	q.Do["say"] = func(ctx context.Context, _ Job) error {
		began <- true
		<-ctx.Done()
		did <- "stopped"
		return ctx.Err()
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := q.Enqueue(as(t, "a"), Job{Kind: "say", ID: "1"}); err != nil {
		t.Fatal(err)
	}
	<-began
	q.Close()
	if said := <-did; said != "stopped" {
		t.Error(said)
	}
	q.Do["say"] = say
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if said := <-did; said != "a 1" {
		t.Error(said)
	}
}

// TestPurge: the jobs of a deleted tenant go, and those of its neighbour stay.
func TestPurge(t *testing.T) {
	q, did := open(t, "a", "b")
	for _, id := range []tenant.ID{"a", "b"} {
		if err := q.Enqueue(as(t, id), Job{Kind: "say"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Purge(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said := <-did; said != "b " {
		t.Error(said)
	}
	q.Close()
	if len(did) > 0 {
		t.Error(<-did)
	}
}

// TestClosedMeanwhile: a job whose tenant is closed under it ends, and is done again when the tenant is open.
func TestClosedMeanwhile(t *testing.T) {
	q, did := open(t, "a")
	entered, left := 0, make(chan int, 10)
	q.Enter = func(tenant.ID) func() {
		entered++
		return func() { left <- entered }
	}
	closing, shut := context.WithCancel(t.Context())
	q.UntilClosed = func(ctx context.Context, _ tenant.ID) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		if entered == 1 {
			context.AfterFunc(closing, cancel)
		}
		return ctx, cancel
	}
	say := q.Do["say"]
	q.Do["say"] = func(ctx context.Context, j Job) error {
		if entered > 1 {
			return say(ctx, j)
		}
		shut() // this is when the drain begins
		<-ctx.Done()
		return ctx.Err()
	}
	if err := q.Enqueue(as(t, "a"), Job{Kind: "say", ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := <-left; n != 1 {
		t.Errorf("it left after %d", n)
	}
	if said := <-did; said != "a 1" {
		t.Error(said)
	}
	q.Close()
	if len(did) > 0 {
		t.Error(<-did)
	}
}
