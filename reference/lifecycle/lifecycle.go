// Package lifecycle admits tenants and deletes them.
//
// Deleting is a list of purgers, one for each part that keeps data of tenants: a part without one would be a residue. The
// tenant is closed first, so that nothing new is written while its data goes.
package lifecycle

import (
	"context"
	"crypto/rand"
	"fmt"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// A Purger removes all that one part keeps of a tenant.
type Purger struct {
	Name  string
	Purge func(ctx context.Context, id tenant.ID) error
}

// User of a new tenant. Password is made by Admit and shown once.
type User struct {
	Email    string `json:"email"`
	Role     string `json:"role"`
	Password string `json:"password,omitempty"`
}

// Manager of tenants' lives.
type Manager struct {
	Tenants *store.Tenants
	Users   store.Users
	// NewID draws the id of a tenant; ids are never used twice.
	NewID   func(slug string) tenant.ID
	Purgers []Purger
	// HashCost of bcrypt.
	HashCost int
}

// Admit registers a tenant with its users and opens it. store.ErrConflict when a living tenant has the slug.
func (m *Manager) Admit(ctx context.Context, slug, name, tier string, users []User) (tenant.ID, []User, error) {
	id := m.NewID(slug)
	record := store.Record{ID: id, Slug: slug, Name: name, Tier: tier, Status: store.Provisioning}
	if err := m.Tenants.Add(ctx, record); err != nil {
		return "", nil, err
	}
	ctx = tenant.NewContext(ctx, tenant.Identity{Tenant: id, Slug: slug, User: "lifecycle", Role: "operator", Tier: tier})
	admitted := make([]User, 0, len(users))
	for _, u := range users {
		u.Password = rand.Text()
		hash, err := bcrypt.GenerateFromPassword([]byte(u.Password), m.HashCost)
		if err != nil {
			return "", nil, fmt.Errorf("hash a password: %w", err)
		}
		if err := m.Users.Create(ctx, u.Email, u.Role, string(hash)); err != nil {
			return "", nil, err
		}
		admitted = append(admitted, u)
	}
	return id, admitted, m.Tenants.SetStatus(ctx, id, store.Active)
}

// Delete closes a tenant, purges every part and marks it deleted. It may be repeated after a failure;
// store.ErrNotFound when the tenant is unknown or deleted already.
func (m *Manager) Delete(ctx context.Context, id tenant.ID) error {
	if err := m.Tenants.SetStatus(ctx, id, store.Offboarding); err != nil {
		return err
	}
	for _, p := range m.Purgers {
		if err := p.Purge(ctx, id); err != nil {
			return fmt.Errorf("purge %s: %w", p.Name, err)
		}
	}
	return m.Tenants.SetStatus(ctx, id, store.Deleted)
}
