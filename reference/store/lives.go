package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// Step of a tenant's life. Its name stands in the service's log.
type Step string

// The steps of a tenant's life.
const (
	Register Step = "provisioning" // with it begins a life
	Admit    Step = "admitted"
	Suspend  Step = "suspended"
	Resume   Step = "resumed"
	Move     Step = "moving" // to another tier
	Moved    Step = "moved"
	Offboard Step = "offboarding" // nobody is let in any more; what the tenant has is kept for a while
	Retain   Step = "retained"    // all that leads in is taken away, all is archived, and the day of the deletion is set
	Keep     Step = "kept"        // the offboarding is called off
	End      Step = "deleting"    // from here there is no way back
	Expire   Step = "expiring"    // the same, by the service itself: the day has come, or the admission was broken off
	Bury     Step = "deleted"
)

// A rule says where a step leads, and from where. An empty destination is a state that stays.
type rule struct {
	from []Status
	to   Status
	// only is what must hold beside, and set what changes beside.
	only, set string
}

// rules are the whole of it: what is not in here is ErrState. The steps that close a tenant lead from their own destination as well:
// where it was closed and then something failed, they are repeated.
func rules() map[Step]rule {
	const reversible, moving = `not ending`, `moving_to = @tier::text`
	return map[Step]rule{
		Admit:    {[]Status{Provisioning}, Active, ``, `claimed_until = null`},
		Suspend:  {[]Status{Active, Suspended}, Suspended, ``, ``},
		Resume:   {[]Status{Suspended}, Active, ``, ``},
		Move:     {[]Status{Active, Suspended}, "", ``, moving},
		Moved:    {[]Status{Active, Suspended}, "", moving, `tier = @tier::text, moving_to = ''`},
		Offboard: {[]Status{Active, Suspended, Offboarding}, Offboarding, reversible, `retain_days = @days::int, delete_after = null, claimed_until = @lease::timestamptz`},
		Retain:   {[]Status{Offboarding}, "", reversible, `delete_after = @now::timestamptz + make_interval(days => retain_days), claimed_until = null`},
		Keep:     {[]Status{Offboarding}, Suspended, reversible, `delete_after = null, claimed_until = null`},
		End: {
			[]Status{Provisioning, Active, Suspended, Offboarding},
			Offboarding, ``,
			`ending = true, delete_after = @now::timestamptz, claimed_until = @lease::timestamptz`,
		},
		Expire: {[]Status{Provisioning, Offboarding}, Offboarding, due, `ending = true, delete_after = @now::timestamptz, claimed_until = @lease::timestamptz`},
		// What stays is that there was a tenant, of which tier, and when.
		Bury: {[]Status{Offboarding}, Deleted, `ending`, `slug = '', name = '', home = '', moving_to = '', claimed_until = null, deleted_at = @now::timestamptz`},
	}
}

// due is what the service ends by itself.
const due = `(status = 'PROVISIONING' or ending or delete_after <= @now::timestamptz)`

// leaseFor is how long nobody else takes up what was begun with a tenant.
const leaseFor = 3 * time.Minute

// ErrState means that what is asked cannot be done with a tenant in its state.
var ErrState = errors.New("the state of the tenant does not allow this")

// Take takes a step of a tenant's life. It compares and sets in one statement, which writes the service's log too: of two who come at
// once, one finds the tenant where the other has put it. ErrState when it is in another state than the step leads from, ErrNotFound
// when it is unknown or deleted.
func (t *Tenants) Take(ctx context.Context, id tenant.ID, s Step) error {
	return t.take(ctx, id, s, pgx.NamedArgs{})
}

// BeginMove notes that a tenant is on its way to a tier: until EndMove it is closed, in whatever state it is. Who began a move before
// and has not ended it is overtaken.
func (t *Tenants) BeginMove(ctx context.Context, id tenant.ID, tier string) error {
	return t.take(ctx, id, Move, pgx.NamedArgs{"tier": tier})
}

// EndMove gives a tenant the tier that it was on its way to; ErrState when it is so no more.
func (t *Tenants) EndMove(ctx context.Context, id tenant.ID, tier string) error {
	return t.take(ctx, id, Moved, pgx.NamedArgs{"tier": tier})
}

// Offboard closes a tenant, whose data is kept for some days after Retain.
func (t *Tenants) Offboard(ctx context.Context, id tenant.ID, days int) error {
	return t.take(ctx, id, Offboard, pgx.NamedArgs{"days": days})
}

func (t *Tenants) take(ctx context.Context, id tenant.ID, s Step, args pgx.NamedArgs) error {
	r, ok := rules()[s]
	if !ok {
		return fmt.Errorf("%w: there is no step %q", ErrState, s)
	}
	set, where := `status = coalesce(nullif(@to::text, ''), status)`, `id = @id::uuid and status = any(@from::text[])`
	if r.set != "" {
		set += `, ` + r.set
	}
	if r.only != "" {
		where += ` and ` + r.only
	}
	t.known(ctx, args)
	args["id"], args["to"], args["from"], args["step"] = parsed(string(id)), string(r.to), r.from, string(s)
	tag, err := t.Pool.Exec(ctx, `with changed as (update tenants set `+set+` where `+where+` returning id)
		insert into lives (tenant, at, step, operator) select id, @now::timestamptz, @step::text, @operator::text from changed`, args)
	if err != nil {
		return fmt.Errorf("change a tenant: %w", err)
	}
	if tag.RowsAffected() > 0 {
		return nil
	}
	now, err := t.ByID(ctx, id)
	switch {
	case err != nil:
		return err
	case now.Status == Deleted:
		return ErrNotFound
	case now.Ending:
		return fmt.Errorf("%w: it is being deleted", ErrState)
	case now.Moving != "":
		return fmt.Errorf("%w: it is %s, on its way to the tier %s", ErrState, now.Status, now.Moving)
	default:
		return fmt.Errorf("%w: it is %s", ErrState, now.Status)
	}
}

// known are the arguments that every step may use.
func (t *Tenants) known(ctx context.Context, args pgx.NamedArgs) {
	now := t.now()
	args["now"], args["lease"], args["operator"] = now, now.Add(leaseFor), tenant.Operator(ctx)
}

// Claim finds a tenant with whom something is due that nobody is at: an admission, an offboarding or a deletion that was broken off, or
// a deletion whose day has come. Of several processes one gets it, for a while. A slug narrows it to the one tenant that has it.
func (t *Tenants) Claim(ctx context.Context, slug string) (r Record, ok bool, err error) {
	args := pgx.NamedArgs{"slug": slug}
	t.known(ctx, args)
	rows, err := t.Pool.Query(ctx, `update tenants set claimed_until = @lease::timestamptz where id = (select id from tenants
			where status in ('PROVISIONING', 'OFFBOARDING') and (`+due+` or delete_after is null)
				and (claimed_until is null or claimed_until < @now::timestamptz) and (@slug::text = '' or slug = @slug)
			order by created_at, id limit 1 for update skip locked)
		returning `+recordColumns, args)
	if err == nil {
		r, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Record])
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("look for what is due: %w", err)
	}
	return r, true, nil
}

// Event of a tenant's life: what the service remembers of it. It holds nothing that the tenant gave.
type Event struct {
	At       time.Time `json:"at"`
	Step     Step      `json:"step"`
	Operator string    `json:"operator"`
}

// History is the life of a tenant, from its beginning, and also after its end; ErrNotFound when there never was one.
func (t *Tenants) History(ctx context.Context, id tenant.ID) ([]Event, error) {
	rows, err := t.Pool.Query(ctx, `select at, step, operator from lives where tenant = $1::uuid order by id`, parsed(string(id)))
	if err != nil {
		return nil, fmt.Errorf("read the life of a tenant: %w", err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowToStructByName[Event])
	if err != nil {
		return nil, fmt.Errorf("read the life of a tenant: %w", err)
	}
	if len(events) == 0 {
		return nil, ErrNotFound
	}
	return events, nil
}
