// Package events is a feed of what happens to the objects of each tenant, on Redis Streams.
//
// Two walls stand here. The stream's key is made of the tenant in the context, never of anything a client names; and every
// entry names its owner, which is compared before it is handed out. Ids count within one tenant's stream: the id of an event
// of somebody else is a moment in one's own.
package events

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Errors of this package.
var (
	ErrPosition = errors.New("this is not the id of an event")
	ErrCrowded  = errors.New("the tenant follows its events too many times at once")
	ErrClosed   = errors.New("the feed is closed")
)

// Event says what was done to an object, and not what is in it.
type Event struct {
	ID     string `json:"id"`     // a position in the tenant's feed
	Kind   string `json:"kind"`   // of the object, for example "document"
	Action string `json:"action"` // for example "create"
	Object string `json:"object"` // its id or name
}

// Feed of the tenant in the context.
type Feed struct {
	Client *redis.Client
	// Length is how many events are kept of each tenant, about.
	Length int64
	// Followers that a tenant may have at once in this process. Each holds a connection to Redis.
	Followers int
	// Key of the stream of a tenant.
	Key func(id tenant.ID) string
	// Owns tells whether an event that was found belongs to the tenant.
	Owns func(id tenant.ID, owner string) bool

	mu        sync.Mutex
	followers map[tenant.ID]int
	closed    chan struct{}
	close     func()
}

// New returns a feed with the good key and the owner check.
func New(client *redis.Client) *Feed {
	f := &Feed{
		Client: client, Length: 1000, Followers: 20, Key: Key, followers: map[tenant.ID]int{}, closed: make(chan struct{}),
		Owns: func(id tenant.ID, owner string) bool { return owner == string(id) },
	}
	f.close = sync.OnceFunc(func() { close(f.closed) })
	return f
}

// Key is "t:<digest of the tenant>:events".
func Key(id tenant.ID) string {
	sum := sha256.Sum256([]byte(id))
	return "t:" + hex.EncodeToString(sum[:8]) + ":events"
}

// Publish adds an event and wakes those who follow.
func (f *Feed) Publish(ctx context.Context, e Event) error {
	id, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	key := f.Key(id.Tenant)
	_, err = f.Client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.XAdd(ctx, &redis.XAddArgs{
			Stream: key, MaxLen: f.Length, Approx: true,
			Values: []string{"owner", string(id.Tenant), "kind", e.Kind, "action", e.Action, "object", e.Object},
		})
		p.Publish(ctx, key, "")
		return nil
	})
	if err != nil {
		return fmt.Errorf("publish an event: %w", err)
	}
	return nil
}

// Subscription follows the feed of one tenant. It is not safe for concurrent use.
type Subscription struct {
	feed   *Feed
	tenant tenant.ID
	key    string
	last   string
	wakes  *redis.PubSub
	wake   <-chan *redis.Message
}

var position = regexp.MustCompile(`^[0-9]{1,18}-[0-9]{1,18}$`)

// Position tells whether a text can be an event's id, or is empty; else ErrPosition.
func Position(after string) error {
	if after != "" && !position.MatchString(after) {
		return ErrPosition
	}
	return nil
}

// Subscribe follows the feed of the tenant behind an event's id, or from now on when it is empty. The caller closes the
// subscription. ErrPosition when there can be no such id, ErrCrowded when the tenant has too many subscriptions.
func (f *Feed) Subscribe(ctx context.Context, after string) (_ *Subscription, err error) {
	id, err := tenant.From(ctx)
	if err != nil {
		return nil, err
	}
	if err := Position(after); err != nil {
		return nil, err
	}
	if err := f.follow(id.Tenant); err != nil {
		return nil, err
	}
	s := &Subscription{feed: f, tenant: id.Tenant, key: f.Key(id.Tenant), last: after}
	s.wakes = f.Client.Subscribe(ctx, s.key)
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if _, err := s.wakes.Receive(ctx); err != nil { // from here on no event is missed
		return nil, fmt.Errorf("follow the events: %w", err)
	}
	s.wake = s.wakes.Channel(redis.WithChannelSize(1))
	if after == "" {
		s.last = "0-0"
		newest, err := f.Client.XRevRangeN(ctx, s.key, "+", "-", 1).Result()
		if err != nil {
			return nil, fmt.Errorf("follow the events: %w", err)
		}
		for _, m := range newest {
			s.last = m.ID
		}
	}
	return s, nil
}

func (f *Feed) follow(id tenant.ID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.followers[id] >= f.Followers {
		return ErrCrowded
	}
	f.followers[id]++
	return nil
}

// Next returns the events that came since the last call. When there are none it waits for one; after the given time it
// returns none. ErrClosed when the service ends.
func (s *Subscription) Next(ctx context.Context, wait time.Duration) ([]Event, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		found, err := s.read(ctx)
		if err != nil || len(found) > 0 {
			return found, err
		}
		select {
		case <-s.wake:
		case <-timer.C:
			return s.read(ctx) // a wake-up may have been lost with its connection
		case <-s.feed.closed:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Subscription) read(ctx context.Context) ([]Event, error) {
	const atOnce, doNotBlock = 100, -1
	streams, err := s.feed.Client.XRead(ctx, &redis.XReadArgs{Streams: []string{s.key, s.last}, Count: atOnce, Block: doNotBlock}).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the events: %w", err)
	}
	var found []Event
	for _, stream := range streams {
		for _, m := range stream.Messages {
			s.last = m.ID
			if !s.feed.Owns(s.tenant, field(m, "owner")) {
				continue
			}
			found = append(found, Event{ID: m.ID, Kind: field(m, "kind"), Action: field(m, "action"), Object: field(m, "object")})
		}
	}
	return found, nil
}

func field(m redis.XMessage, name string) string {
	text, _ := m.Values[name].(string)
	return text
}

// Close ends the subscription.
func (s *Subscription) Close() {
	_ = s.wakes.Close() // nothing is lost with the connection
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if s.feed.followers[s.tenant]--; s.feed.followers[s.tenant] == 0 {
		delete(s.feed.followers, s.tenant)
	}
}

// Close ends all subscriptions: their next call answers ErrClosed. It may be repeated.
func (f *Feed) Close() { f.close() }

// Purge removes all events of a tenant. It names the tenant because it is a lifecycle call.
func (f *Feed) Purge(ctx context.Context, id tenant.ID) error {
	if err := f.Client.Del(ctx, f.Key(id)).Err(); err != nil {
		return fmt.Errorf("purge the events: %w", err)
	}
	return nil
}
