package monitor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Ledger says of an object whether another tenant has it. It holds keyed digests: without the service's key neither an object nor
// a tenant can be told from it. Nothing that a tenant is answered ever depends on it.
type Ledger struct {
	client redis.Cmdable
	mark   func(texts ...string) string
}

// remembered is how long an object is, from when it was last changed.
const remembered = 90 * 24 * time.Hour

func (l *Ledger) object(id string) string { return "ledger:object:" + l.mark("object", id) }
func (l *Ledger) owner(id tenant.ID) string {
	return l.mark("tenant", string(id))
}
func (l *Ledger) all(id tenant.ID) string { return "ledger:tenant:" + l.owner(id) }

// Add notes that a tenant has an object.
func (l *Ledger) Add(ctx context.Context, id tenant.ID, object string) error {
	_, err := l.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.SAdd(ctx, l.all(id), l.object(object)) // first: what is not found again could not be purged
		p.Expire(ctx, l.all(id), remembered)
		p.Set(ctx, l.object(object), l.owner(id), remembered)
		return nil
	})
	if err != nil {
		return fmt.Errorf("note an object: %w", err)
	}
	return nil
}

// Foreign tells whether one of the objects is another tenant's.
func (l *Ledger) Foreign(ctx context.Context, id tenant.ID, objects []string) (bool, error) {
	own := l.owner(id)
	for _, object := range objects {
		owner, err := l.client.Get(ctx, l.object(object)).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("look an object up: %w", err)
		}
		if owner != own {
			return true, nil
		}
	}
	return false, nil
}

func (l *Ledger) purge(ctx context.Context, id tenant.ID) error {
	for {
		keys, err := l.client.SPopN(ctx, l.all(id), 500).Result()
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := l.client.Unlink(ctx, keys...).Err(); err != nil {
			return err
		}
	}
}
