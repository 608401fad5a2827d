package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/partywall/partywall/reference/store"
)

func quotas(db *store.DB) Subject {
	r := store.NewQuotas(db)
	return Subject{
		Name: "quotas",
		Plant: func(ctx context.Context, text string) (string, error) {
			before, err := r.Used(ctx)
			if err != nil {
				return "", err
			}
			kept, err := r.Reserve(ctx, int64(len(text)))
			if err == nil {
				err = r.Keep(ctx, kept, "reports/q3.txt")
			}
			if err != nil {
				return "", err
			}
			for range 2 {
				if err := r.Forget(ctx, "reports/q4.txt"); err != nil { // nobody has it
					return "", err
				}
			}
			reservation, err := r.Reserve(ctx, 7)
			if err != nil {
				return "", err
			}
			if used, err := r.Used(ctx); err != nil || used["bytes"] != before["bytes"]+int64(len(text))+7 {
				return "", errors.Join(err, fmt.Errorf("it had %v, and has %v", before, used))
			}
			return reservation, nil
		},
		Tries: tries{
			"keep":    func(ctx context.Context, id string) error { return r.Keep(ctx, id, "reports/q3.txt") },
			"release": func(ctx context.Context, id string) error { return r.Release(ctx, id) },
		},
		Same: func(ctx context.Context) error { return r.Forget(ctx, "reports/q3.txt") },
		See:  func(ctx context.Context) (any, error) { return r.Used(ctx) },
	}
}
