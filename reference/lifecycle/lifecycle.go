// Package lifecycle admits tenants and deletes them.
//
// Deleting is a list of purgers, one for each part that keeps data of tenants: a part without one would be a residue. The
// tenant is closed first, so that nothing new is written while its data goes.
package lifecycle

import (
	"context"
	"crypto/rand"
	"errors"
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
	NewID func(slug string) tenant.ID
	// Provision makes the rooms of a new tenant; it may be repeated.
	Provision func(ctx context.Context, id tenant.ID) error
	// Move takes a tenant's rows to where its new tier keeps them; nil where a tier changes the limits only.
	Move    func(ctx context.Context, id tenant.ID, tier string) error
	Purgers []Purger
	// HashCost of bcrypt.
	HashCost int

	present presence
}

// Admit registers a tenant with its users and opens it. store.ErrConflict when a living tenant has the slug. A tenant that
// could not be finished is removed again.
func (m *Manager) Admit(ctx context.Context, slug, name, tier string, users []User) (tenant.ID, []User, error) {
	id := m.NewID(slug)
	record := store.Record{ID: id, Slug: slug, Name: name, Tier: tier, Status: store.Provisioning}
	if err := m.Tenants.Add(ctx, record); err != nil {
		return "", nil, err
	}
	admitted, err := m.open(ctx, record, users)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		return "", nil, errors.Join(err, m.Delete(ctx, id))
	}
	return id, admitted, nil
}

// open makes the users of a registered tenant and activates it.
func (m *Manager) open(ctx context.Context, r store.Record, users []User) ([]User, error) {
	ctx = tenant.NewContext(ctx, tenant.Identity{Tenant: r.ID, Slug: r.Slug, User: "lifecycle", Role: "operator", Tier: r.Tier})
	if err := m.Provision(ctx, r.ID); err != nil {
		return nil, err
	}
	admitted := make([]User, 0, len(users))
	for _, u := range users {
		u.Password = rand.Text()
		hash, err := bcrypt.GenerateFromPassword([]byte(u.Password), m.HashCost)
		if err != nil {
			return nil, fmt.Errorf("hash a password: %w", err)
		}
		if err := m.Users.Create(ctx, u.Email, u.Role, string(hash)); err != nil {
			return nil, err
		}
		admitted = append(admitted, u)
	}
	return admitted, m.turn(ctx, r.ID, admit)
}
