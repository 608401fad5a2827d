// Package cache keeps values of tenants in Redis, for a while.
//
// Three walls stand between tenants. The key begins with a digest of the tenant in the context, and what a client chose is in it as a
// digest, so that no name can be read as somebody else's key; every entry is an envelope that names its owner, so that an entry met
// under a wrong key is removed and not used; and requests that wait for one answer together are of one tenant.
//
// What is cached follows from the tenant and the name alone, never from the user: a flight is shared by all users of a tenant.
//
// A value that was replaced is never served again. Who changes one shuts its key first (see [Cache.Change]), and who found
// nothing leaves a lease there before it asks the store: an answer is kept only while that lease still stands. A cache that
// is away slows readers down and refuses writers, for what it holds would be back with it.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Errors of this package.
var (
	ErrName        = errors.New("a name has 1 to 1024 bytes")
	ErrSpace       = errors.New("a namespace is made of 1 to 32 lower case letters, digits and dashes")
	ErrUnavailable = errors.New("the cache does not work") // wraps what Redis says
)

// MaxTTL bounds how long an entry may be kept, whatever TTL says.
const MaxTTL = time.Hour

// A Room is where the entries of some tenants lie: a Redis of their own, or keys with a prefix of their own.
type Room struct {
	Client *redis.Client
	Prefix string
}

// Cache of the tenant in the context.
type Cache struct {
	// Room of everybody but those in a tier with a room of its own.
	Room  Room
	Apart map[string]Room
	// TTL of entries. Nothing is kept without one: see MaxTTL.
	TTL time.Duration
	// Key builds the key of a name within a namespace for a tenant.
	Key func(id tenant.ID, space, name string) (string, error)
	// Owns tells whether an entry that was found belongs to the tenant.
	Owns func(id tenant.ID, owner string) bool
	// Flight names the load that readers of a tenant's name wait for together.
	Flight func(id tenant.ID, space, name string) string
	Log    *slog.Logger

	flights  flights
	poisoned atomic.Int64
}

// New returns a cache with the good key, the owner check, and a room for everybody.
func New(client *redis.Client) *Cache {
	return &Cache{
		Room: Room{Client: client}, TTL: time.Minute, Key: Key, Flight: Flight,
		Owns: func(id tenant.ID, owner string) bool { return owner == string(id) },
		Log:  slog.New(slog.DiscardHandler),
	}
}

// Key is "t:<digest of the tenant>:<namespace>:<digest of the name>". Digests have a fixed length and alphabet, and whole ones do not
// collide: what a client writes into a name cannot end one part and begin another, nor be a pattern or a command.
func Key(id tenant.ID, space, name string) (string, error) {
	if !spaceForm.MatchString(space) {
		return "", ErrSpace
	}
	if name == "" || len(name) > 1024 {
		return "", ErrName
	}
	return prefix(id) + space + ":" + digest(name), nil
}

var spaceForm = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Flight is the tenant, the namespace and the name. Neither of the first two holds NUL.
func Flight(id tenant.ID, space, name string) string {
	return string(id) + "\x00" + space + "\x00" + name
}

func prefix(id tenant.ID) string { return "t:" + digest(string(id)) + ":" }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Poisoned counts the entries that were found under the key of somebody who does not own them, or could not be read.
func (c *Cache) Poisoned() int64 { return c.poisoned.Load() }

// envelope is what stands under a key: a value with its owner, or a mark that keeps values out.
type envelope struct {
	Owner string `json:"owner"`
	Value []byte `json:"value,omitempty"`
	// Mark is that of a lease, which its reader may replace by the value, or of a change that is on its way.
	Mark string `json:"mark,omitempty"`
}

// place is where a name of a tenant is kept.
type place struct {
	id     tenant.ID
	client *redis.Client
	key    string
}

func (c *Cache) place(ctx context.Context, space, name string) (place, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return place{}, err
	}
	key, err := c.Key(identity.Tenant, space, name)
	room, apart := c.Apart[identity.Tier]
	if !apart {
		room = c.Room
	}
	return place{identity.Tenant, room.Client, room.Prefix + key}, err
}

// Get returns an entry; ok is false when there is none that belongs to the tenant.
func (c *Cache) Get(ctx context.Context, space, name string) (value []byte, ok bool, err error) {
	p, err := c.place(ctx, space, name)
	if err != nil {
		return nil, false, err
	}
	e, found, err := c.find(ctx, p)
	return e.Value, found && e.Mark == "", err
}

// find reads what stands under a key. What does not belong there is removed, unless somebody has replaced it meanwhile.
func (c *Cache) find(ctx context.Context, p place) (e envelope, found bool, err error) {
	data, err := p.client.Get(ctx, p.key).Bytes()
	if errors.Is(err, redis.Nil) {
		return envelope{}, false, nil
	}
	if err != nil {
		return envelope{}, false, fmt.Errorf("%w: read: %w", ErrUnavailable, err)
	}
	if json.Unmarshal(data, &e) == nil && c.Owns(p.id, e.Owner) {
		return e, true, nil
	}
	c.poisoned.Add(1)
	c.Log.ErrorContext(ctx, "the cache held an entry under the key of a tenant who does not own it; it was removed", "tenant", string(p.id), "key", p.key)
	return envelope{}, false, swap(ctx, p, data, nil, 0)
}

// swapped replaces a value, or removes it, if it still is what the caller has seen.
var swapped = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

func swap(ctx context.Context, p place, old, replacement []byte, ttl time.Duration) error {
	if err := swapped.Run(ctx, p.client, []string{p.key}, old, replacement, ttl.Milliseconds()).Err(); err != nil {
		return fmt.Errorf("%w: replace: %w", ErrUnavailable, err)
	}
	return nil
}

// ttl is within its bounds: an entry without an end would outlive every promise.
func (c *Cache) ttl() time.Duration {
	if c.TTL <= 0 || c.TTL > MaxTTL {
		return MaxTTL
	}
	return max(c.TTL, time.Millisecond)
}

// Purge forgets every entry of a tenant, in whichever room. It names the tenant because it is a lifecycle call; a change of tier is
// one too, for with it the room may change.
func (c *Cache) Purge(ctx context.Context, id tenant.ID) error {
	rooms := []Room{c.Room}
	for _, room := range c.Apart {
		rooms = append(rooms, room)
	}
	for _, room := range rooms {
		keys := room.Client.Scan(ctx, 0, room.Prefix+prefix(id)+"*", 500).Iterator()
		for keys.Next(ctx) {
			if err := room.Client.Unlink(ctx, keys.Val()).Err(); err != nil {
				return fmt.Errorf("%w: purge: %w", ErrUnavailable, err)
			}
		}
		if err := keys.Err(); err != nil {
			return fmt.Errorf("%w: purge: %w", ErrUnavailable, err)
		}
	}
	return nil
}
