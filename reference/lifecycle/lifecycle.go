// Package lifecycle leads tenants through their lives: it admits them, suspends and resumes them, moves them to another tier, offboards
// and deletes them.
//
// A life is a machine of states. The registry holds its rules, takes each step in one statement and writes it into a log of its own
// (store.Take), so that of two who come at once one wins, and what was done can be told when nothing else of the tenant is left.
//
// What a step entails are lists, with one entry for each part: those that make something for a new tenant, those that take away what
// lets somebody in, and the purgers, which forget. A part that keeps something of tenants and has no purger would be a residue. Every
// entry can be done again, which is how a step survives the end of its process: the state tells what was begun, and Sweep, in whatever
// process, does it from the start. An admission that was broken off is the exception. Nobody has its passwords, so it is removed, by
// Sweep or by who admits a tenant of the same name.
//
// A tenant is closed first, and its requests that are on their way have ended, before anything is taken away: nothing new is written
// while its data goes. They are counted in their own process: see Enter.
package lifecycle

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/bcrypt"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// A Purger removes all that one part keeps of a tenant.
type Purger struct {
	Name  string
	Purge func(ctx context.Context, id tenant.ID) error
}

// A Part does for a tenant what one part of the service has to do in a step. It can be done again.
type Part struct {
	Name string
	Do   func(ctx context.Context, id tenant.ID) error
}

// Archive is where all that a tenant has is kept between its offboarding and its deletion. The tenant is in the context.
type Archive interface {
	Write(ctx context.Context) error
	Read(ctx context.Context) (content io.ReadCloser, size int64, err error)
	Remove(ctx context.Context) error
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
	// Provision makes what a new tenant needs; the purgers undo it.
	Provision []Part
	// Move takes a tenant's rows to where its new tier keeps them; nil where a tier changes the limits only.
	Move func(ctx context.Context, id tenant.ID, tier string) error
	// Revoke takes away what lets somebody in to a tenant that is offboarded.
	Revoke  []Part
	Archive Archive
	Purgers []Purger
	// HashCost of bcrypt.
	HashCost int
	// Each does one part of a step; nil just does it. It is where a log, or a measurement, can stand.
	Each func(ctx context.Context, name string, do func(context.Context) error) error
	Log  *slog.Logger

	present presence
	sweeper sweeper
}

// Admit registers a tenant with its users and opens it. store.ErrConflict when a living tenant has the slug. A tenant that
// could not be finished is removed again.
func (m *Manager) Admit(ctx context.Context, slug, name, tier string, users []User) (tenant.ID, []User, error) {
	record := store.Record{ID: m.NewID(slug), Slug: slug, Name: name, Tier: tier, Status: store.Provisioning}
	err := m.Tenants.Add(ctx, record)
	if errors.Is(err, store.ErrConflict) && m.cleared(ctx, slug) {
		err = m.Tenants.Add(ctx, record)
	}
	if err != nil {
		return "", nil, err
	}
	admitted, err := m.open(ctx, record, users)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		return "", nil, errors.Join(err, m.undo(ctx, record.ID))
	}
	return record.ID, admitted, nil
}

// open makes all of a registered tenant and activates it.
func (m *Manager) open(ctx context.Context, r store.Record, users []User) (admitted []User, err error) {
	own := as(ctx, r)
	for _, p := range m.Provision {
		if err := m.each(own, "provision "+p.Name, func(ctx context.Context) error { return p.Do(ctx, r.ID) }); err != nil {
			return nil, err
		}
	}
	err = m.each(own, "provision users", func(ctx context.Context) error {
		for _, u := range users {
			u.Password = rand.Text()
			hash, err := bcrypt.GenerateFromPassword([]byte(u.Password), m.HashCost)
			if err != nil {
				return fmt.Errorf("hash a password: %w", err)
			}
			if err := m.Users.Create(ctx, u.Email, u.Role, string(hash)); err != nil {
				return err
			}
			admitted = append(admitted, u)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return admitted, m.each(own, "admit", func(ctx context.Context) error { return m.Tenants.Take(ctx, r.ID, store.Admit) })
}

// undo removes what there is of a tenant that could not be admitted. Where somebody has deleted it meanwhile, we may have written
// something behind that.
func (m *Manager) undo(ctx context.Context, id tenant.ID) error {
	err := m.Delete(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = m.purge(ctx, id)
	}
	return err
}

// as is the context of what the service does for a tenant that is not open.
func as(ctx context.Context, r store.Record) context.Context {
	return tenant.NewContext(ctx, tenant.Identity{Tenant: r.ID, Slug: r.Slug, User: "lifecycle", Role: "operator", Tier: r.Tier, Home: r.Home})
}

// each does one part of a step.
func (m *Manager) each(ctx context.Context, name string, do func(context.Context) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Each == nil {
		err = do(ctx)
	} else {
		err = m.Each(ctx, name, do)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Suspend closes a tenant until Resume, and waits for its requests that are on their way. It may be repeated after a failure.
func (m *Manager) Suspend(ctx context.Context, id tenant.ID) error {
	if err := m.Tenants.Take(ctx, id, store.Suspend); err != nil {
		return err
	}
	return m.present.drain(ctx, id)
}

// Resume opens a suspended tenant.
func (m *Manager) Resume(ctx context.Context, id tenant.ID) error {
	return m.Tenants.Take(ctx, id, store.Resume)
}

// ChangeTier closes a tenant, waits for its requests that are on their way, moves its rows if need be and lets it be as it was: open or
// suspended. It is repeated after a failure; until then the tenant stays closed. Whoever asks last decides on the tier; who was
// overtaken is told ErrState, as is who changes the tier of a tenant that is being deleted.
func (m *Manager) ChangeTier(ctx context.Context, id tenant.ID, tier string) error {
	if err := m.Tenants.BeginMove(ctx, id, tier); err != nil {
		return err
	}
	if err := m.present.drain(ctx, id); err != nil {
		return err
	}
	if m.Move != nil {
		if err := m.Move(ctx, id, tier); err != nil {
			return fmt.Errorf("move the tenant: %w", err)
		}
	}
	return m.Tenants.EndMove(ctx, id, tier)
}

// Delete closes a tenant, waits for its requests that are on their way, purges every part and marks it deleted. After a failure it may
// be repeated, and Sweep does; store.ErrNotFound when the tenant is unknown or deleted already.
func (m *Manager) Delete(ctx context.Context, id tenant.ID) error { return m.end(ctx, id, store.End) }

func (m *Manager) end(ctx context.Context, id tenant.ID, how store.Step) error {
	err := m.each(ctx, "close", func(ctx context.Context) error { return m.Tenants.Take(ctx, id, how) })
	if err != nil {
		return err
	}
	if err := m.present.drain(ctx, id); err != nil {
		return err
	}
	if err := m.purge(ctx, id); err != nil {
		return err
	}
	return m.each(ctx, "bury", func(ctx context.Context) error { return m.Tenants.Take(ctx, id, store.Bury) })
}

func (m *Manager) purge(ctx context.Context, id tenant.ID) error {
	for _, p := range m.Purgers {
		if err := m.each(ctx, "purge "+p.Name, func(ctx context.Context) error { return p.Purge(ctx, id) }); err != nil {
			return err
		}
	}
	return nil
}
