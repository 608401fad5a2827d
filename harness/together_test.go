package harness

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// TestTogether: each function begins when all are there; a panic of one reaches the caller when all are done.
func TestTogether(t *testing.T) {
	w, n := &World{}, atomic.Int32{}
	meet := make(chan struct{})
	first := func() { <-meet; n.Add(1) }
	second := func() { close(meet); n.Add(1) }
	w.Together(first, second)
	w.Together()
	defer func() {
		if p := recover(); p != "boom" || n.Load() != 3 {
			t.Errorf("the caller caught %v when %d were done", p, n.Load())
		}
	}()
	w.Together(func() { panic("boom") }, func() { n.Add(1) })
}

func TestOverlapping(t *testing.T) {
	at := func(p Purpose, tenant string, begin, took time.Duration) *Exchange {
		return &Exchange{Purpose: p, Tenant: tenant, Begin: begin, Took: took}
	}
	for name, tc := range map[string]struct {
		want      error
		exchanges []*Exchange
	}{
		"at once":           {nil, []*Exchange{at(Attack, "a", 0, 10), at(Setup, "b", 9, 10)}},
		"within":            {nil, []*Exchange{at(Attack, "a", 5, 1), at(Setup, "b", 0, 10)}},
		"one after another": {ErrApart, []*Exchange{at(Attack, "a", 0, 10), at(Setup, "b", 10, 10)}},
		"with one's own":    {ErrApart, []*Exchange{at(Attack, "a", 0, 10), at(Setup, "a", 0, 10)}},
		"with a check":      {ErrApart, []*Exchange{at(Attack, "a", 0, 10), at(Check, "b", 0, 10)}},
		"nothing":           {ErrApart, nil},
	} {
		found, err := Overlapping(&History{Cell: Cell{Attacker: "a", Victim: "b"}, Exchanges: tc.exchanges})
		if found != nil || !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}
