package faults

import (
	"context"
	"sync"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/monitor"
)

func monitorInMemory() Fault {
	return Fault{
		ID: "monitor-in-memory", Mistake: "Attempts are counted in the memory of each process: spread over several, three are never seen.",
		Refs: Refs{
			CheatSheet: "Monitor for cross-tenant access attempts.", CWE: []int{778},
		},
		Scenarios:   []string{"audit/noticed"},
		Indifferent: true,
		Replicas:    2,
		Plant: func(p *reference.Parts) {
			p.Monitor.Tally = (&dictionary{attempts: map[string]int{}}).tally
		},
	}
}

// dictionary, as in the cheat sheet's example, is where the attempts of each user stand, and stay: no window ends either.
type dictionary struct {
	mu       sync.Mutex
	attempts map[string]int
}

func (d *dictionary) tally(_ context.Context, a monitor.Attempt) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.attempts[string(a.Tenant)+":"+a.User]++
	return d.attempts[string(a.Tenant)+":"+a.User], nil
}
