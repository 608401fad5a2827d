package api

import (
	"context"

	"golang.org/x/crypto/bcrypt"
)

// A password costs a processor a good part of a second, on purpose, and everybody may send one. Only some are hashed at once, so that
// there is something left for those who are in already; the others wait, as long as a request may.

func (a *api) hashing(ctx context.Context) (done func(), err error) {
	select {
	case a.Hashing <- struct{}{}:
		return func() { <-a.Hashing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// matches tells whether a password is the one that was hashed.
func (a *api) matches(ctx context.Context, hash []byte, password string) (bool, error) {
	done, err := a.hashing(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil, nil
}

func (a *api) hashed(ctx context.Context, password string) ([]byte, error) {
	done, err := a.hashing(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return bcrypt.GenerateFromPassword([]byte(password), a.Lifecycle.HashCost)
}
