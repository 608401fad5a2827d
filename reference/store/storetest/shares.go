package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/partywall/partywall/reference/store"
)

func shares(db *store.DB) Subject {
	r, docs := store.NewShares(db), store.NewDocuments(db)
	// own is the document of the acting tenant that has a share.
	own := func(ctx context.Context) (string, error) {
		found, _, err := docs.List(ctx, store.Filter{Text: "shared plan", Page: page})
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			return "", store.ErrNotFound
		}
		return found[0].ID, nil
	}
	return Subject{
		Name: "shares",
		Plant: func(ctx context.Context, text string) (string, error) {
			d, err := docs.Create(ctx, store.Draft{Slug: "shared plan", Title: "shared plan", Body: text})
			if err != nil {
				return "", err
			}
			if _, err := r.Create(ctx, d.ID, "first", time.Hour); err != nil { // all tenants have this digest
				return "", err
			}
			share, err := r.Create(ctx, d.ID, "digest of "+d.ID, time.Hour)
			if err != nil {
				return "", err
			}
			if got, err := r.Read(ctx, "digest of "+d.ID); err != nil || got.Body != text || share.DocumentID != d.ID {
				return "", fmt.Errorf("what is shared reads %v: %w", got, err)
			}
			return d.ID, nil
		},
		Tries: tries{
			"read":   func(ctx context.Context, id string) error { _, err := r.Read(ctx, "digest of "+id); return err },
			"create": func(ctx context.Context, id string) error { _, err := r.Create(ctx, id, "x", time.Hour); return err },
			"list":   func(ctx context.Context, id string) error { _, err := r.List(ctx, id, 100); return err },
			"delete": func(ctx context.Context, id string) error { return r.Delete(ctx, id, id) },
			"delete under one's own document": func(ctx context.Context, id string) error {
				document, err := own(ctx)
				if err != nil {
					return err
				}
				return r.Delete(ctx, document, id)
			},
		},
		See: func(ctx context.Context) (any, error) {
			document, err := own(ctx)
			if err != nil {
				return nil, err
			}
			list, err := r.List(ctx, document, 100)
			if err != nil {
				return nil, err
			}
			read, err := r.Read(ctx, "first")
			return []any{list, read}, err
		},
	}
}
