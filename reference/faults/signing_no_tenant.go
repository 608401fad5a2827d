package faults

import (
	"context"
	"sync"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func signingNoTenant() Fault {
	return Fault{
		ID:          "signing-no-tenant",
		Mistake:     "A signature does not cover the tenant, and its secret is found by the id of the key alone: ids are unique, after all.",
		Refs:        Refs{CheatSheet: "Implement tenant-aware request signing for B2B APIs.", CWE: []int{345, 639}},
		Scenarios:   []string{"signing/tamper"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.API.APIKeys = &keysByID{APIKeys: p.API.APIKeys}
			secret := p.API.Requests.Secret
			p.API.Requests.Secret = func(_ tenant.ID, key string) []byte { return secret("", key) }
			p.API.Requests.Canonical = func(s signing.Signed, c signing.Call) string {
				s.Tenant = ""
				return signing.Canonical(s, c)
			}
		},
	}
}

// keysByID is an index of all keys that were made, of whichever tenant.
type keysByID struct {
	store.APIKeys
	all sync.Map
}

func (k *keysByID) Create(ctx context.Context, name, scope, digest string, lifetime time.Duration) (store.APIKey, error) {
	key, err := k.APIKeys.Create(ctx, name, scope, digest, lifetime)
	if err == nil {
		k.all.Store(key.ID, key)
	}
	return key, err
}

func (k *keysByID) Live(ctx context.Context, id string) (store.APIKey, error) {
	if key, ok := k.all.Load(id); ok {
		return key.(store.APIKey), nil
	}
	return k.APIKeys.Live(ctx, id)
}
