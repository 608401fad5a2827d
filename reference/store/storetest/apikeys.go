package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/partywall/partywall/reference/store"
)

// apiKeys of all tenants have keys with the same digests: what one finds is its own.
func apiKeys(db *store.DB) Subject {
	r := store.NewAPIKeys(db)
	return Subject{
		Name: "api keys",
		Plant: func(ctx context.Context, text string) (string, error) {
			old, err := r.Create(ctx, text, "documents:read", "first", time.Hour)
			if err != nil {
				return "", err
			}
			if _, err := r.Rotate(ctx, old.ID, "second", 0); err != nil {
				return "", err
			}
			if _, err := r.Live(ctx, old.ID); !errors.Is(err, store.ErrNotFound) {
				return "", fmt.Errorf("a key that was rotated without an overlap: %w", err)
			}
			if old, err = r.Create(ctx, text, "files:read", "third", time.Hour); err != nil {
				return "", err
			}
			if _, err := r.Create(ctx, text, "files:read", "digest of "+old.ID, time.Hour); err != nil {
				return "", err
			}
			found, err := r.Find(ctx, "third")
			if err == nil && found != old {
				err = fmt.Errorf("the key %v is found as %v", old, found)
			}
			return old.ID, err
		},
		Tries: tries{
			"get":    func(ctx context.Context, id string) error { _, err := r.Get(ctx, id); return err },
			"live":   func(ctx context.Context, id string) error { _, err := r.Live(ctx, id); return err },
			"find":   func(ctx context.Context, id string) error { _, err := r.Find(ctx, "digest of "+id); return err },
			"rotate": func(ctx context.Context, id string) error { _, err := r.Rotate(ctx, id, "x", time.Hour); return err },
			"revoke": r.Revoke,
		},
		Same: func(ctx context.Context) error {
			_, found := r.Find(ctx, "second")
			_, made := r.Create(ctx, "x", "files:read", "fourth", time.Hour)
			return errors.Join(found, made)
		},
		See: func(ctx context.Context) (any, error) {
			list, err := r.List(ctx, 100)
			if err != nil {
				return nil, err
			}
			found, err := r.Find(ctx, "third")
			return []any{list, found}, err
		},
	}
}
