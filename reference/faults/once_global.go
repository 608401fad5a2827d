package faults

import (
	"context"
	"sync"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func onceGlobal() Fault {
	return Fault{
		ID: "once-global", Mistake: "Answers are remembered by the idempotency key alone: clients are told to draw random ones.",
		Refs:        Refs{CheatSheet: "Cross-Tenant Data Leakage: Bugs or misconfigurations exposing one tenant's data to another.", CWE: []int{488, 639}},
		Scenarios:   []string{"idempotency/shared-key"},
		Indifferent: true,
		Plant:       func(p *reference.Parts) { p.API.Once = &rememberedOnce{Once: p.API.Once} },
	}
}

type rememberedOnce struct {
	store.Once
	answers sync.Map
}

func (o *rememberedOnce) Claim(ctx context.Context, key, fingerprint string) (*store.Answer, error) {
	if a, ok := o.answers.Load(key); ok {
		answer := a.(store.Answer)
		return &answer, nil
	}
	return o.Once.Claim(ctx, key, fingerprint)
}

func (o *rememberedOnce) Keep(ctx context.Context, key string, a store.Answer) error {
	o.answers.Store(key, a)
	return o.Once.Keep(ctx, key, a)
}
