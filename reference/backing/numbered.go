package backing

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
)

// numbered gives every service a numbered database of one Redis. A prefix of keys would not do: the service makes its keys
// itself, also within scripts and patterns, and a service without a wall, which is what faults are for, would reach the
// keys of others. A number is chosen when a connection is made, FLUSHDB ends with it, and KEYS and SCAN stay in it.
// Channels of publish and subscribe are the one thing that all numbers share.
type numbered struct {
	options *redis.Options

	mu   sync.Mutex
	free []int
}

func newNumbered(options *redis.Options) *numbered {
	n := &numbered{options: options}
	for i := range redisDatabases {
		n.free = append(n.free, redisDatabases-1-i) // the first taken is 0
	}
	return n
}

// service is a client of a database that is empty and nobody else's, and what gives it back.
func (n *numbered) service(ctx context.Context) (*redis.Client, func(context.Context) error, error) {
	number, err := n.take()
	if err != nil {
		return nil, nil, err
	}
	options := *n.options
	options.DB = number
	client := redis.NewClient(&options)
	if err := client.Ping(ctx).Err(); err != nil {
		n.give(number)
		return nil, nil, errors.Join(fmt.Errorf("reach database %d of the Redis container: %w", number, err), client.Close())
	}
	return client, func(ctx context.Context) error {
		err := errors.Join(client.FlushDB(ctx).Err(), client.Close())
		if err == nil { // else nobody may have it: keys are left in it
			n.give(number)
		}
		return err
	}, nil
}

func (n *numbered) take() (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.free) == 0 {
		return 0, fmt.Errorf("all %d databases of the Redis container are taken: close services that are not needed any more", redisDatabases)
	}
	last := len(n.free) - 1
	number := n.free[last]
	n.free = n.free[:last]
	return number, nil
}

func (n *numbered) give(number int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.free = append(n.free, number)
}

func (n *numbered) ping(ctx context.Context) error {
	client := redis.NewClient(n.options)
	return errors.Join(client.Ping(ctx).Err(), client.Close())
}
