package cache

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	// leaseFor is how long a reader may take to load what it has a lease for. Who takes longer keeps nothing.
	leaseFor = 10 * time.Second
	// shutFor is how long a key stays shut behind a change that could not open it again.
	shutFor = time.Minute
)

// Call returns the value of a name: the cached one, or what load makes of it, which is then kept. Readers of the tenant who come
// while it is loaded wait for it together; who of them gives up leaves the others alone. Errors are not kept.
func Call[T any](ctx context.Context, c *Cache, space, name string, load func(context.Context) (T, error)) (value T, err error) {
	p, err := c.place(ctx, space, name)
	if err != nil {
		return value, err
	}
	data, err := c.flights.join(ctx, c.Flight(p.id, space, name), func(ctx context.Context) ([]byte, error) {
		return c.through(ctx, p, func(ctx context.Context) ([]byte, error) {
			value, err := load(ctx)
			if err != nil {
				return nil, err
			}
			return json.Marshal(value)
		})
	})
	if err != nil {
		return value, err
	}
	if json.Unmarshal(data, &value) != nil { // an older version of the service may have written it
		return load(ctx)
	}
	return value, nil
}

// through reads through the cache, and past one that does not work.
func (c *Cache) through(ctx context.Context, p place, load func(context.Context) ([]byte, error)) ([]byte, error) {
	e, found, err := c.find(ctx, p)
	if err != nil && !errors.Is(err, ErrUnavailable) {
		return nil, err
	}
	if found && e.Mark == "" {
		return e.Value, nil
	}
	var lease []byte
	if !found && err == nil {
		lease = c.lease(ctx, p)
	}
	value, err := load(ctx)
	if err != nil || lease == nil {
		return value, err
	}
	if data, err := json.Marshal(envelope{Owner: string(p.id), Value: value}); err == nil {
		_ = swap(ctx, p, lease, data, c.ttl()) // where it fails, the next reader loads it again
	}
	return value, nil
}

// lease marks a key that holds nothing; nil when somebody else was first, or the cache does not work.
func (c *Cache) lease(ctx context.Context, p place) []byte {
	mark, err := json.Marshal(envelope{Owner: string(p.id), Mark: "lease " + rand.Text()})
	if err != nil {
		return nil
	}
	if ours, err := p.client.SetNX(ctx, p.key, mark, leaseFor).Result(); err != nil || !ours {
		return nil
	}
	return mark
}

// Change makes a change to what a name stands for. Its key is shut first, and nothing is changed if that cannot be done; then no
// reader who has seen the old value can keep it. A key that cannot be opened again opens by itself.
func (c *Cache) Change(ctx context.Context, space, name string, change func() error) error {
	p, err := c.place(ctx, space, name)
	if err != nil {
		return err
	}
	shut, err := json.Marshal(envelope{Owner: string(p.id), Mark: "shut " + rand.Text()})
	if err != nil {
		return err
	}
	if err := p.client.Set(ctx, p.key, shut, shutFor).Err(); err != nil {
		return fmt.Errorf("%w: shut: %w", ErrUnavailable, err)
	}
	err = change()
	// Who reads from now on must not be given what was loaded before.
	c.flights.forget(c.Flight(p.id, space, name))
	if e := p.client.Del(ctx, p.key).Err(); e != nil {
		c.Log.WarnContext(ctx, "a key stays shut for a while", "tenant", string(p.id), "key", p.key, "error", e)
	}
	return err
}
