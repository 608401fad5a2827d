package faults

import (
	"context"
	"sync"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/export"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func jobInheritsContext() Fault {
	return Fault{
		ID: "job-inherits-context", Mistake: "A worker's reader is swapped behind a job, not before it: it still has the context of the job of before.",
		Refs:        Refs{CheatSheet: "Propagate tenant context securely through all application layers.", CWE: []int{488, 567}},
		Scenarios:   []string{"jobs/mixed-context"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			good, reader := p.Source, &lastReader{}
			p.Source = func() export.Source {
				from := good()
				from.Preferences = reader.of(from.Preferences)
				return from
			}
		},
	}
}

// lastReader lists for whoever it listed for last.
type lastReader struct {
	mu   sync.Mutex
	last tenant.Identity
}

func (l *lastReader) of(good store.Preferences) store.Preferences { return read{good, l} }

type read struct {
	store.Preferences
	by *lastReader
}

func (r read) List(ctx context.Context) ([]store.Preference, error) {
	id, err := tenant.From(ctx)
	if err != nil {
		return nil, err
	}
	r.by.mu.Lock()
	before := r.by.last
	r.by.last = id
	r.by.mu.Unlock()
	if before.Tenant != "" {
		ctx = tenant.NewContext(ctx, before)
	}
	return r.Preferences.List(ctx)
}
