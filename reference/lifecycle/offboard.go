package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// Offboard closes a tenant for good: all that lets somebody in is taken away, all that it has is written into an archive, and after some
// days it is deleted. Until then Keep calls it off. After a failure it may be repeated, with another number of days if need be, and
// Sweep goes on with it.
func (m *Manager) Offboard(ctx context.Context, id tenant.ID, days int) error {
	err := m.each(ctx, "close", func(ctx context.Context) error { return m.Tenants.Offboard(ctx, id, days) })
	if err != nil {
		return err
	}
	return m.retain(ctx, id)
}

// retain does what is left to do with a tenant whose offboarding began.
func (m *Manager) retain(ctx context.Context, id tenant.ID) error {
	if err := m.present.drain(ctx, id); err != nil {
		return err
	}
	record, err := m.Tenants.ByID(ctx, id)
	if err != nil {
		return err
	}
	// From here a deletion waits for us, and tells us to end: what we write must not come behind it.
	defer m.Enter(id)()
	ctx, cancel := m.UntilClosed(ctx, id)
	defer cancel()
	own := as(ctx, record)
	for _, p := range m.Revoke {
		if err := m.each(own, "revoke "+p.Name, func(ctx context.Context) error { return p.Do(ctx, id) }); err != nil {
			return err
		}
	}
	if err := m.each(own, "archive", m.Archive.Write); err != nil {
		return err
	}
	err = m.each(ctx, "retain", func(ctx context.Context) error { return m.Tenants.Take(ctx, id, store.Retain) })
	if errors.Is(err, store.ErrState) || errors.Is(err, store.ErrNotFound) { // another process went another way meanwhile
		err = errors.Join(err, m.Archive.Remove(context.WithoutCancel(own)))
	}
	return err
}

// Keep calls an offboarding off, as long as the deletion has not begun. The tenant is suspended then: nobody is let in by what was
// theirs before, and an operator resumes it when its users may log in again.
func (m *Manager) Keep(ctx context.Context, id tenant.ID) error {
	record, err := m.Tenants.ByID(ctx, id)
	if err != nil {
		return err
	}
	if err := m.Tenants.Take(ctx, id, store.Keep); err != nil {
		return err
	}
	return m.each(as(ctx, record), "forget the archive", m.Archive.Remove)
}

// ErrNoArchive means that there is no archive of a tenant, or not yet.
var ErrNoArchive = errors.New("there is no archive of the tenant")

// OpenArchive reads what an offboarded tenant had. The caller closes it: a deletion waits for that.
func (m *Manager) OpenArchive(ctx context.Context, id tenant.ID) (io.ReadCloser, int64, error) {
	leave := m.Enter(id)
	content, size, err := m.archive(ctx, id)
	if err != nil {
		leave()
		return nil, 0, err
	}
	return &reading{content, leave}, size, nil
}

func (m *Manager) archive(ctx context.Context, id tenant.ID) (io.ReadCloser, int64, error) {
	record, err := m.Tenants.ByID(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	if record.Status != store.Offboarding || record.Ending || record.DeleteAfter == nil {
		return nil, 0, ErrNoArchive
	}
	return m.Archive.Read(as(ctx, record))
}

type reading struct {
	io.ReadCloser
	leave func()
}

func (r *reading) Close() error {
	defer r.leave()
	return r.ReadCloser.Close()
}

// cleared frees a name that an admission or a deletion which was broken off still holds.
func (m *Manager) cleared(ctx context.Context, slug string) bool {
	r, ok, err := m.Tenants.Claim(ctx, slug)
	return err == nil && ok && (r.Status == store.Provisioning || r.Ending) && m.due(ctx, r) == nil
}

// due does what is due with a tenant that was claimed. What somebody has done meanwhile is ErrState or ErrNotFound.
func (m *Manager) due(ctx context.Context, r store.Record) error {
	if r.Status == store.Offboarding && r.DeleteAfter == nil {
		return m.retain(ctx, r.ID)
	}
	return m.end(ctx, r.ID, store.Expire)
}

// Sweep does what is due, with one tenant after the other: it goes on with what was broken off, and deletes those whose day has come.
// Several processes may do it at once. What fails is tried again by a later one.
func (m *Manager) Sweep(ctx context.Context) error {
	var failed []error
	for {
		r, ok, err := m.Tenants.Claim(ctx, "")
		if err != nil || !ok {
			return errors.Join(append(failed, err)...)
		}
		err = m.due(ctx, r)
		if err != nil && !errors.Is(err, store.ErrState) && !errors.Is(err, store.ErrNotFound) {
			failed = append(failed, fmt.Errorf("the tenant %s: %w", r.ID, err))
		}
	}
}

// sweeper sweeps now and then.
type sweeper struct {
	stop context.CancelFunc
	done chan struct{}
}

// sweepEvery is how often it is looked for what is due, in a process.
const sweepEvery = time.Minute

// Start sweeps from time to time until Close.
func (m *Manager) Start(ctx context.Context) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	m.sweeper = sweeper{stop, done}
	go func() {
		defer close(done)
		ticker := time.NewTicker(sweepEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if err := m.Sweep(ctx); err != nil && ctx.Err() == nil {
					m.Log.WarnContext(ctx, "what is due with tenants could not be done", "error", err)
				}
			}
		}
	}()
}

// Close ends what Start began, and waits for it.
func (m *Manager) Close() {
	if m.sweeper.stop != nil {
		m.sweeper.stop()
		<-m.sweeper.done
	}
}
