package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference/store"
)

func exports(db *store.DB) Subject {
	r := store.NewExports(db)
	return Subject{
		Name: "exports",
		Plant: func(ctx context.Context, _ string) (id string, err error) {
			for range 3 {
				e, err := r.Create(ctx)
				if err != nil {
					return "", err
				}
				id = e.ID
			}
			if _, err := r.Create(ctx); !errors.Is(err, store.ErrFull) {
				return "", fmt.Errorf("a fourth export at once: %w", err)
			}
			return id, nil
		},
		Tries: tries{
			"get":   func(ctx context.Context, id string) error { _, err := r.Get(ctx, id); return err },
			"start": func(ctx context.Context, id string) error { _, err := r.Start(ctx, id); return err },
			"finish": func(ctx context.Context, id string) error {
				_, err := r.Finish(ctx, id, store.ExportDone, 1)
				return err
			},
		},
		See: func(ctx context.Context) (any, error) { return r.List(ctx, page) },
	}
}

func webhooks(db *store.DB) Subject {
	r := store.NewWebhooks(db)
	return Subject{
		Name: "webhooks",
		Plant: func(ctx context.Context, text string) (string, error) {
			w, err := r.Create(ctx, store.Webhook{ID: uuid.NewString(), URL: "https://example.com/" + text, Event: "documents", Sealed: text})
			return w.ID, err
		},
		Tries: tries{
			"get":    func(ctx context.Context, id string) error { _, err := r.Get(ctx, id); return err },
			"delete": r.Delete,
		},
		See: func(ctx context.Context) (any, error) {
			all, err := r.List(ctx)
			if err != nil {
				return nil, err
			}
			told, err := r.For(ctx, "documents")
			return []any{all, told}, err
		},
	}
}

func dataKeys(db *store.DB) Subject {
	r := store.NewDataKeys(db)
	return Subject{
		Name: "data keys",
		Plant: func(ctx context.Context, text string) (string, error) {
			id := uuid.NewString()
			return id, r.Add(ctx, id, text)
		},
		Tries: tries{"get": func(ctx context.Context, id string) error {
			_, ok, err := r.Get(ctx, id)
			if err == nil && !ok {
				err = store.ErrNotFound
			}
			return err
		}},
		See: func(ctx context.Context) (any, error) {
			_, wrapped, _, err := r.Newest(ctx)
			return wrapped, err
		},
	}
}
