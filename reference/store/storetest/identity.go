package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// sessions of all tenants have refresh tokens with the same digests: what one spends, another has not.
func sessions(db *store.DB) Subject {
	r, users := store.NewSessions(db), store.NewUsers(db)
	return Subject{
		Name: "sessions",
		Plant: func(ctx context.Context, text string) (string, error) {
			if err := users.Create(ctx, "carol@example.com", "member", text); err != nil {
				return "", err
			}
			id, err := r.Open(ctx, "carol@example.com", "first")
			if err != nil {
				return "", err
			}
			identity, err := tenant.From(ctx)
			if err != nil {
				return "", err
			}
			identity.User, identity.Role, identity.Session = "carol@example.com", "member", id
			if err := r.Live(tenant.NewContext(ctx, identity)); err != nil {
				return "", fmt.Errorf("a session that was just opened: %w", err)
			}
			if _, err := r.Rotate(ctx, "first", "second"); err != nil {
				return "", err
			}
			if _, err := r.Open(ctx, "carol@example.com", "another"); err != nil {
				return "", err
			}
			_, err = r.Rotate(ctx, "another", "digest of "+id)
			return id, err
		},
		Tries: tries{
			"live": func(ctx context.Context, id string) error {
				identity, _ := tenant.From(ctx) // without one it must fail below
				identity.User, identity.Role, identity.Session = "carol@example.com", "member", id
				return r.Live(tenant.NewContext(ctx, identity))
			},
			"holder": func(ctx context.Context, id string) error {
				identity, _ := tenant.From(ctx) // without one it must fail below
				identity.Session = id
				_, err := r.Holder(tenant.NewContext(ctx, identity))
				return err
			},
			"revoke": r.Revoke,
			"rotate": func(ctx context.Context, id string) error {
				_, err := r.Rotate(ctx, "digest of "+id, "third")
				return err
			},
		},
		Same: func(ctx context.Context) error {
			if _, err := r.Rotate(ctx, "first", "third"); !errors.Is(err, store.ErrReused) {
				return fmt.Errorf("a token that was spent before: %w", err)
			}
			for name, end := range map[string]func() (int, error){
				"of a user": func() (int, error) { return r.RevokeOf(ctx, "carol@example.com") }, "of all": func() (int, error) { return r.RevokeAll(ctx) },
			} {
				if _, err := r.Open(ctx, "carol@example.com", name); err != nil {
					return err
				}
				if n, err := end(); err != nil || n == 0 {
					return fmt.Errorf("%d sessions %s ended: %w", n, name, err)
				}
			}
			return nil
		},
		See: func(ctx context.Context) (any, error) { return r.Known(ctx, "second") },
	}
}

func members(db *store.DB) Subject {
	r := store.NewUsers(db)
	remove := func(ctx context.Context, email string) error { return r.Remove(ctx, email) }
	return Subject{
		Name: "members",
		Plant: func(ctx context.Context, text string) (string, error) {
			email := text + "@example.com"
			if err := r.Create(ctx, email, "member", text); err != nil {
				return "", err
			}
			if _, err := r.SetRole(ctx, email, "admin"); err != nil {
				return "", err
			}
			_, err := r.SetRole(ctx, email, "member")
			return email, err
		},
		Tries: tries{
			"promote": func(ctx context.Context, id string) error { _, err := r.SetRole(ctx, id, "admin"); return err },
			"demote":  func(ctx context.Context, id string) error { _, err := r.SetRole(ctx, id, "member"); return err },
			"remove":  remove,
		},
		// Everybody's only admin is called alice. That a neighbour has one too does not make her the second.
		Same: func(ctx context.Context) error {
			if err := remove(ctx, "alice@example.com"); !errors.Is(err, store.ErrLastAdmin) {
				return fmt.Errorf("the last admin was removed: %w", err)
			}
			return remove(ctx, "carol@example.com")
		},
		See: func(ctx context.Context) (any, error) { return r.List(ctx, 100) },
	}
}

func invitations(db *store.DB) Subject {
	r := store.NewInvitations(db)
	return Subject{
		Name: "invitations",
		Plant: func(ctx context.Context, text string) (string, error) {
			i, err := r.Create(ctx, "dave@example.com", "member", "first")
			if err != nil {
				return "", err
			}
			if _, err := r.Renew(ctx, i.ID, "digest of "+i.ID); err != nil {
				return "", err
			}
			if _, err := r.Create(ctx, "dave@example.com", "admin", "x"); !errors.Is(err, store.ErrConflict) {
				return "", fmt.Errorf("a second invitation: %w", err)
			}
			_, err = r.Create(ctx, text, "member", "second")
			return i.ID, err
		},
		Tries: tries{
			"renew":  func(ctx context.Context, id string) error { _, err := r.Renew(ctx, id, "x"); return err },
			"delete": r.Delete,
			"accept": func(ctx context.Context, id string) error { _, err := r.Accept(ctx, "digest of "+id, "x"); return err },
		},
		Same: func(ctx context.Context) error { _, err := r.Accept(ctx, "second", "x"); return err },
		See:  func(ctx context.Context) (any, error) { return r.List(ctx, 100) },
	}
}

func overrides(db *store.DB) Subject {
	r := store.NewOverrides(db)
	live := func(ctx context.Context, id string) error {
		identity, _ := tenant.From(ctx) // without one it must fail below
		identity.Override.ID = id
		return r.Live(tenant.NewContext(ctx, identity))
	}
	return Subject{
		Name: "overrides",
		Plant: func(ctx context.Context, text string) (string, error) {
			granted, err := r.Grant(ctx, text, time.Hour)
			if err != nil {
				return "", err
			}
			return granted.ID, live(ctx, granted.ID)
		},
		Tries: tries{"live": live, "revoke": r.Revoke},
		See:   func(ctx context.Context) (any, error) { return r.List(ctx, 100) },
	}
}
