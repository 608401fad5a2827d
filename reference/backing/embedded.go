package backing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

func openEmbedded(ctx context.Context) (_ *Engine, err error) {
	e := &Engine{newRedis: newMiniredis}
	defer func() {
		if err != nil {
			_ = e.Close()
		}
	}()
	s3, stopS3, err := startS3()
	if err != nil {
		return nil, err
	}
	e.s3, e.stop = s3, append(e.stop, stopS3)
	p, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	e.stop = append(e.stop, p.Close)
	e.owner = "host=" + p.folder + " user=" + ownerRole
	e.app = "host=" + p.folder + " user=" + AppRole
	return e, e.execute(ctx, appRole)
}

// tick is how often the clock of an in-process Redis moves: by itself it never expires a key.
const tick = 250 * time.Millisecond

func newMiniredis(ctx context.Context) (*redis.Client, func(context.Context) error, error) {
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		return nil, nil, fmt.Errorf("start the in-process Redis: %w", err)
	}
	done := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				m.FastForward(tick)
			}
		}
	})
	client := redis.NewClient(bounded(&redis.Options{Addr: m.Addr(), DisableIdentity: true}))
	stop := func(context.Context) error {
		close(done)
		ticking.Wait()
		err := client.Close()
		m.Close()
		return err
	}
	if err := client.Ping(ctx).Err(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("reach the in-process Redis: %w", err), stop(ctx))
	}
	return client, stop, nil
}
