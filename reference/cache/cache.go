// Package cache keeps values of tenants in Redis.
//
// Two walls stand here. The key begins with a digest of the tenant in the context and is made of validated parts, so no
// name can be read as somebody else's key; and every entry is an envelope that names its owner, so that an entry met
// under a wrong key is taken for a miss.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Errors of this package.
var (
	ErrName        = errors.New("a name may have at most 1024 bytes")
	ErrUnavailable = errors.New("the cache does not work") // wraps what Redis says
)

// Cache of the tenant in the context.
type Cache struct {
	Client *redis.Client
	TTL    time.Duration
	// Key builds the key of a name within a namespace for a tenant.
	Key func(id tenant.ID, namespace, name string) (string, error)
	// Owns tells whether an entry that was found belongs to the tenant.
	Owns func(id tenant.ID, owner string) bool
}

// New returns a cache with the good key and the owner check.
func New(client *redis.Client) *Cache {
	return &Cache{
		Client: client, TTL: time.Minute, Key: Key,
		Owns: func(id tenant.ID, owner string) bool { return owner == string(id) },
	}
}

// Key is "t:<digest of the tenant>:<namespace>:<digest of the name>". Digests have a fixed length and alphabet: what a
// client writes into a name cannot end one part and begin another.
func Key(id tenant.ID, namespace, name string) (string, error) {
	if len(name) > 1024 {
		return "", ErrName
	}
	sum := sha256.Sum256([]byte(name))
	return prefix(id) + namespace + ":" + hex.EncodeToString(sum[:16]), nil
}

func prefix(id tenant.ID) string {
	sum := sha256.Sum256([]byte(id))
	return "t:" + hex.EncodeToString(sum[:8]) + ":"
}

type envelope struct {
	Owner string `json:"owner"`
	Value []byte `json:"value"`
}

// Get returns an entry; ok is false when there is none that belongs to the tenant.
func (c *Cache) Get(ctx context.Context, namespace, name string) (value []byte, ok bool, err error) {
	id, key, err := c.key(ctx, namespace, name)
	if err != nil {
		return nil, false, err
	}
	data, err := c.Client.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: read: %w", ErrUnavailable, err)
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil || !c.Owns(id, e.Owner) {
		return nil, false, nil //nolint:nilerr // what cannot be read, or is somebody else's, is a miss
	}
	return e.Value, true, nil
}

// Set keeps an entry for the cache's TTL.
func (c *Cache) Set(ctx context.Context, namespace, name string, value []byte) error {
	id, key, err := c.key(ctx, namespace, name)
	if err != nil {
		return err
	}
	data, err := json.Marshal(envelope{Owner: string(id), Value: value})
	if err != nil {
		return err
	}
	if err := c.Client.Set(ctx, key, data, c.TTL).Err(); err != nil {
		return fmt.Errorf("%w: write: %w", ErrUnavailable, err)
	}
	return nil
}

// Delete forgets an entry.
func (c *Cache) Delete(ctx context.Context, namespace, name string) error {
	_, key, err := c.key(ctx, namespace, name)
	if err != nil {
		return err
	}
	if err := c.Client.Del(ctx, key).Err(); err != nil {
		return fmt.Errorf("%w: clear: %w", ErrUnavailable, err)
	}
	return nil
}

func (c *Cache) key(ctx context.Context, namespace, name string) (tenant.ID, string, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return "", "", err
	}
	key, err := c.Key(identity.Tenant, namespace, name)
	return identity.Tenant, key, err
}

// Purge forgets every entry of a tenant. It names the tenant because it is a lifecycle call.
func (c *Cache) Purge(ctx context.Context, id tenant.ID) error {
	keys := c.Client.Scan(ctx, 0, prefix(id)+"*", 500).Iterator()
	for keys.Next(ctx) {
		if err := c.Client.Unlink(ctx, keys.Val()).Err(); err != nil {
			return fmt.Errorf("%w: purge: %w", ErrUnavailable, err)
		}
	}
	if err := keys.Err(); err != nil {
		return fmt.Errorf("%w: purge: %w", ErrUnavailable, err)
	}
	return nil
}
