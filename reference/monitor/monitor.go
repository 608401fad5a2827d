// Package monitor notices who reaches for other tenants' objects, and tells the operator at the third attempt.
//
// What counts as an attempt is what can be known without a look across tenants on the way of a request, for such a look would be
// an oracle: its time, its errors or its answer would tell the foreign from the unknown. So there are two kinds. Some requests
// show it by themselves: a token with our key's name and a broken signature, a header that names another tenant, a cursor that was
// sealed for another list. The others are those that were answered "not found": behind the answer, off the request's way, their
// ids are held against a [Ledger] of keyed digests, which says that somebody else has such an object, and not who. An id that
// nobody has is a mistake, and counts for nothing.
//
// Attempts are counted by tenant and user, or by address where no user is known, in Redis, so that it does not matter which process
// a request meets. The window is the service's, begins with the first attempt, and has one alert. Where Redis is away each process
// counts for itself, and the alert says so.
package monitor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Kinds of attempts.
const (
	Token    = "token"    // a forged token
	Selector = "selector" // another tenant named beside the token
	Cursor   = "cursor"   // a cursor that was not made for this list
	Object   = "object"   // an object of another tenant
)

// Kinds are all of them.
func Kinds() []string { return []string{Token, Selector, Cursor, Object} }

// Attempt to reach what belongs to another tenant. Tenant and user are who tried; both are empty where that is not known.
type Attempt struct {
	Kind   string
	Tenant tenant.ID
	User   string
	IP     string
	// Objects that were asked for and not found. Where there are any, it is an attempt only if one of them is another tenant's.
	Objects []string
}

// Alert says that somebody has tried repeatedly.
type Alert struct {
	At       time.Time `json:"at"`
	Tenant   tenant.ID `json:"tenant,omitempty"`
	User     string    `json:"user,omitempty"`
	IP       string    `json:"ip"`
	Kind     string    `json:"kind"` // of the last
	Attempts int       `json:"attempts"`
	Window   string    `json:"window"`
	// Local: Redis is away, so that other processes may have seen more.
	Local bool `json:"local,omitempty"`
}

// An Alarm tells somebody.
type Alarm func(ctx context.Context, a Alert) error

// Monitor counts attempts and raises alarms.
type Monitor struct {
	Threshold int
	Window    time.Duration
	Now       func() time.Time
	// Tally counts one more attempt of somebody and returns how many there are in the window.
	Tally  func(ctx context.Context, a Attempt) (int, error)
	Ledger *Ledger
	Alarms []Alarm
	// Seen is told of each attempt, if it is set.
	Seen func(kind string)
	Log  *slog.Logger

	client redis.Cmdable
	mark   func(texts ...string) string
	local  *local
	queue  chan task
	stop   context.CancelFunc
	done   sync.WaitGroup
}

type task func(ctx context.Context)

const (
	queued   = 1024            // what waits for being looked at; more is dropped, and the log says so
	patience = 2 * time.Second // for what one attempt takes, an alarm aside
)

// New makes a monitor that does nothing until it is started. Processes that serve the same tenants must share the key behind mark.
func New(client redis.Cmdable, mark func(texts ...string) string) *Monitor {
	m := &Monitor{
		Threshold: 3, Window: 10 * time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler), Ledger: &Ledger{client, mark},
		client: client, mark: mark, local: &local{counts: map[string]*count{}}, queue: make(chan task, queued),
	}
	m.Tally = m.shared
	return m
}

// Start begins to look at what comes in, until Close.
func (m *Monitor) Start(ctx context.Context) {
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	m.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case do := <-m.queue:
				do(ctx)
			}
		}
	})
}

// Close ends it. What still waits is forgotten.
func (m *Monitor) Close() {
	if m.stop != nil {
		m.stop()
		m.done.Wait()
	}
}

// Settle waits until all that came in before was looked at.
func (m *Monitor) Settle(ctx context.Context) error {
	over := make(chan struct{})
	select {
	case m.queue <- func(context.Context) { close(over) }:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Notice takes in an attempt, or what may be one. It never waits.
func (m *Monitor) Notice(a Attempt) {
	m.later(func(ctx context.Context) { m.look(ctx, a) })
}

// Learn takes in that a tenant has an object. It never waits.
func (m *Monitor) Learn(id tenant.ID, object string) {
	m.later(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := m.Ledger.Add(ctx, id, object); err != nil {
			m.Log.WarnContext(ctx, "an object is not in the ledger, so that attempts on it go unnoticed", "error", err)
		}
	})
}

func (m *Monitor) later(do task) {
	select {
	case m.queue <- do:
	default:
		m.Log.Warn("the monitor is behind, and something goes unnoticed")
	}
}

func (m *Monitor) look(ctx context.Context, a Attempt) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if len(a.Objects) > 0 {
		foreign, err := m.Ledger.Foreign(within, a.Tenant, a.Objects)
		if err != nil {
			m.Log.WarnContext(ctx, "the ledger cannot be asked, so that an attempt may go unnoticed", "error", err)
		}
		if !foreign {
			return
		}
	}
	if m.Seen != nil {
		m.Seen(a.Kind)
	}
	n, err := m.Tally(within, a)
	if err != nil {
		n = m.local.add(m.principal(a), m.Now(), m.Window)
		m.Log.WarnContext(ctx, "attempts are counted in this process only", "error", err)
	}
	m.Log.WarnContext(ctx, "an attempt to reach another tenant", "kind", a.Kind, "by_tenant", a.Tenant, "by_user", a.User, "ip", a.IP, "attempts", n)
	if n != m.Threshold {
		return
	}
	alert := Alert{
		At: m.Now(), Tenant: a.Tenant, User: a.User, IP: a.IP, Kind: a.Kind, Attempts: n, Window: m.Window.String(), Local: err != nil,
	}
	for _, tell := range m.Alarms {
		if err := tell(ctx, alert); err != nil {
			m.Log.ErrorContext(ctx, "an alarm was not heard", "error", err)
		}
	}
}

// principal is who tried, as a key that says nothing about it.
func (m *Monitor) principal(a Attempt) string {
	if a.Tenant == "" {
		return "attempts:" + m.mark("address", a.IP)
	}
	return "attempts:" + m.mark("tenant", string(a.Tenant)) + ":" + m.mark("user", a.User)
}

// tally opens a window with the first attempt, and counts in it.
var tally = redis.NewScript(`
local start, now, window = tonumber(redis.call('HGET', KEYS[1], 'start')), tonumber(ARGV[1]), tonumber(ARGV[2])
if not start or now - start >= window then
	redis.call('DEL', KEYS[1])
	redis.call('HSET', KEYS[1], 'start', now)
end
redis.call('PEXPIRE', KEYS[1], window)
return redis.call('HINCRBY', KEYS[1], 'n', 1)`)

func (m *Monitor) shared(ctx context.Context, a Attempt) (int, error) {
	return tally.Run(ctx, m.client, []string{m.principal(a)}, m.Now().UnixMilli(), m.Window.Milliseconds()).Int()
}

// Purge forgets what is known of a tenant.
func (m *Monitor) Purge(ctx context.Context, id tenant.ID) error {
	keys, scan := []string{}, m.client.Scan(ctx, 0, "attempts:"+m.mark("tenant", string(id))+":*", 100).Iterator()
	for scan.Next(ctx) {
		keys = append(keys, scan.Val())
	}
	err := scan.Err()
	if err == nil && len(keys) > 0 {
		err = m.client.Unlink(ctx, keys...).Err()
	}
	return errors.Join(err, m.Settle(ctx), m.Ledger.purge(ctx, id))
}
