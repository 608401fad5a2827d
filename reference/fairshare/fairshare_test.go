package fairshare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/partywall/partywall/reference/tenant"
)

func as(ctx context.Context, id string) context.Context {
	return tenant.NewContext(ctx, tenant.Identity{Tenant: tenant.ID(id), Tier: id})
}

func granted(t *ticket) bool {
	select {
	case <-t.granted:
		return true
	default:
		return false
	}
}

// TestModel: whatever comes, goes and gives up, no more goes on than there are slots, or than one tenant may; no slot stays empty while
// somebody may have it; each line is served in its order; nobody is lost.
func TestModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		q := &Queue{Slots: rapid.IntRange(1, 4).Draw(r, "slots"), Waiting: rapid.IntRange(0, 4).Draw(r, "waiting")}
		q.Each = rapid.IntRange(0, q.Slots).Draw(r, "each")
		each := q.Each
		if each == 0 {
			each = q.Slots
		}
		waiting, running := map[tenant.ID][]*ticket{}, map[tenant.ID][]*ticket{}
		settle := func() {
			total := 0
			for _, id := range []tenant.ID{"a", "b", "c"} {
				for len(waiting[id]) > 0 && granted(waiting[id][0]) {
					running[id], waiting[id] = append(running[id], waiting[id][0]), waiting[id][1:]
				}
				if slices.ContainsFunc(waiting[id], granted) {
					r.Fatalf("%s is served out of order", id)
				}
				if total += len(running[id]); len(running[id]) > each {
					r.Fatalf("%s holds %d of %d", id, len(running[id]), each)
				}
			}
			if total > q.Slots {
				r.Fatalf("%d go on in %d slots", total, q.Slots)
			}
			for id, line := range waiting {
				if total < q.Slots && len(line) > 0 && len(running[id]) < each {
					r.Fatalf("a slot is empty while %s waits", id)
				}
				if len(line) > q.Waiting {
					r.Fatalf("%d of %s wait", len(line), id)
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			id := rapid.SampledFrom([]tenant.ID{"a", "b", "c"}).Draw(r, "tenant")
			switch what := rapid.IntRange(0, 3).Draw(r, "what"); {
			case what < 2:
				one := &ticket{of: id, weight: rapid.IntRange(1, 3).Draw(r, "weight"), granted: make(chan struct{})}
				full := len(waiting[id]) == q.Waiting
				if q.ask(one) {
					waiting[id] = append(waiting[id], one)
				} else if granted(one) || !full {
					r.Fatalf("%s is refused though it need not be", id)
				}
			case what == 2 && len(running[id]) > 0:
				q.leave(running[id][0])
				running[id] = running[id][1:]
			case what == 3 && len(waiting[id]) > 0:
				i := rapid.IntRange(0, len(waiting[id])-1).Draw(r, "who")
				q.forgo(waiting[id][i])
				waiting[id] = slices.Delete(waiting[id], i, i+1)
			}
			settle()
		}
		for id := range map[tenant.ID]bool{"a": true, "b": true, "c": true} {
			for len(running[id])+len(waiting[id]) > 0 {
				for _, one := range waiting[id] {
					q.forgo(one)
				}
				waiting[id] = nil
				for _, one := range running[id] {
					q.leave(one)
				}
				running[id] = nil
			}
			settle()
		}
		if q.busy != 0 || q.queued != 0 || len(q.lines) != 0 || q.clock != 0 {
			r.Fatalf("when all have gone, %d slots are taken and %d tenants remembered", q.busy, len(q.lines))
		}
	})
}

// TestWeights: tenants that all wait are served by their weights, to within one turn each, whatever they asked for first.
func TestWeights(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		q := &Queue{Slots: rapid.IntRange(1, 3).Draw(r, "slots"), Waiting: 1000}
		weights := map[tenant.ID]int{"a": rapid.IntRange(1, 8).Draw(r, "a"), "b": rapid.IntRange(1, 8).Draw(r, "b"), "c": rapid.IntRange(1, 8).Draw(r, "c")}
		hold := []*ticket{}
		for range q.Slots { // nobody is served before all wait
			one := &ticket{of: "first", weight: 1, granted: make(chan struct{})}
			q.ask(one)
			hold = append(hold, one)
		}
		var lines []*ticket
		for _, id := range rapid.Permutation([]tenant.ID{"a", "b", "c"}).Draw(r, "order") {
			for range 200 {
				one := &ticket{of: id, weight: weights[id], granted: make(chan struct{})}
				q.ask(one)
				lines = append(lines, one)
			}
		}
		served := map[tenant.ID]float64{}
		for range rapid.IntRange(10, 150).Draw(r, "turns") {
			q.leave(hold[0])
			hold = hold[1:]
			for i, one := range lines {
				if granted(one) {
					served[one.of]++
					hold, lines = append(hold, one), slices.Delete(lines, i, i+1)
					break
				}
			}
			for x, wx := range weights {
				for y, wy := range weights {
					apart := math.Abs(served[x]/float64(wx) - served[y]/float64(wy))
					if apart > 1/float64(wx)+1/float64(wy)+1e-9 {
						r.Fatalf("by weights %v they had %v", weights, served)
					}
				}
			}
		}
	})
}

// TestFlood: while one tenant floods the queue, another gets a slot at once; and when others hold all, it is the next.
func TestFlood(t *testing.T) {
	q := &Queue{Slots: 4, Each: 3, Waiting: 100}
	loud, quiet := as(t.Context(), "loud"), as(t.Context(), "quiet")
	release := make(chan struct{})
	var under sync.WaitGroup
	for range 50 {
		under.Go(func() {
			leave, err := q.Enter(loud)
			if err != nil {
				t.Error(err)
				return
			}
			<-release
			leave()
			leave() // once is enough
		})
	}
	for range 20 {
		leave, err := q.Enter(quiet) // it would hang
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	close(release)
	under.Wait()
	if q.busy != 0 || len(q.lines) != 0 {
		t.Errorf("%d slots are taken, %d tenants remembered", q.busy, len(q.lines))
	}
}

// TestGiveUp: who stops waiting is told why, leaves its place, and takes no slot with it; who asks for too much is refused at once.
func TestGiveUp(t *testing.T) {
	q := &Queue{Slots: 1, Waiting: 1}
	leave, err := q.Enter(as(t.Context(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(as(t.Context(), "a"))
	gaveUp := make(chan error)
	go func() {
		_, err := q.Enter(ctx)
		gaveUp <- err
	}()
	for waits := false; !waits; {
		q.mu.Lock()
		waits = len(q.lines["a"].waiting) == 1
		q.mu.Unlock()
	}
	if _, err := q.Enter(as(t.Context(), "a")); !errors.Is(err, ErrBusy) {
		t.Errorf("a second that would wait: %v", err)
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up is told %v", err)
	}
	if _, err := q.Enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone: %v", err)
	}
	if _, err := q.Enter(t.Context()); !errors.Is(err, tenant.ErrMissing) {
		t.Errorf("nobody: %v", err)
	}
	leave()
	if leave, err = q.Enter(as(t.Context(), "b")); err != nil {
		t.Fatal(err)
	}
	leave()
}

// TestForgets: thousands of tenants that came and went are not remembered while one stays.
func TestForgets(t *testing.T) {
	q := &Queue{Slots: 2, Waiting: 1}
	stay, err := q.Enter(as(t.Context(), "stays"))
	if err != nil {
		t.Fatal(err)
	}
	defer stay()
	for i := range 5000 {
		leave, err := q.Enter(as(t.Context(), fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	if n := len(q.lines); n > 2 {
		t.Errorf("%d tenants are remembered", n)
	}
	// Nor are those who come and go while somebody waits.
	full := &Queue{Slots: 2, Each: 1, Waiting: 1}
	full.ask(&ticket{of: "stays", weight: 1, granted: make(chan struct{})})
	full.ask(&ticket{of: "stays", weight: 1, granted: make(chan struct{})})
	for i := range 5000 {
		one := &ticket{of: tenant.ID(fmt.Sprint(i / 2)), weight: 1, granted: make(chan struct{})} // each comes twice, so that the clock goes on
		full.ask(one)
		full.leave(one)
	}
	if n := len(full.lines); n > 200 {
		t.Errorf("%d tenants are remembered while one waits", n)
	}
}
