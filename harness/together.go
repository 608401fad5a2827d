package harness

import (
	"errors"
	"slices"
	"sync"
)

// Together runs functions that send requests at the same moment: none begins before all are ready. It returns when the last one has.
func (w *World) Together(acts ...func()) {
	ready := make(chan struct{})
	var running sync.WaitGroup
	var panicked sync.Map
	for i, act := range acts {
		running.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panicked.Store(i, p)
				}
			}()
			<-ready
			act()
		})
	}
	close(ready)
	running.Wait()
	panicked.Range(func(_, p any) bool { panic(p) }) // where the cell takes care of it
}

// ErrApart means that requests which had to be on their way at the same time never were.
var ErrApart = errors.New("the requests of attacker and victim were never on their way at the same time")

// Overlapping is a judge for attacks that depend on time: it finds nothing, and says ErrApart unless an attack was on its way while a
// request of the victim was that belongs to the attack's phase of the world.
func Overlapping(h *History) ([]Finding, error) {
	attacks := slices.DeleteFunc(slices.Clone(h.Exchanges), func(e *Exchange) bool { return e.Purpose != Attack || e.Err != "" })
	for _, e := range h.Exchanges {
		if e.Purpose != Setup || e.Tenant != h.Cell.Victim || e.Err != "" {
			continue
		}
		if slices.ContainsFunc(attacks, func(a *Exchange) bool { return a.Begin < e.Begin+e.Took && e.Begin < a.Begin+a.Took }) {
			return nil, nil
		}
	}
	return nil, ErrApart
}
