package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/partywall/partywall/reference/tenant"
)

// ErrMoving means that the tenant is on its way to another room already.
var ErrMoving = errors.New("the tenant is being moved already")

// lockFor is how long a move waits for the one before it: one that was broken off ends its last statement first.
const lockFor = "2s"

// Move copies into an emptied room, then turns the sign, then empties the old one. Before the sign is turned the old room is
// whole, after it the new one is.
//
// All that it changes in the shared database it changes on one session, which holds a lock on the tenant: there are no two moves at
// a time, and what one that was broken off had still sent is done, or not, before the next can begin.
func (s *hybrid) Move(ctx context.Context, id tenant.ID, tier string) error {
	conn, err := s.lock(ctx, id)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	m := mover{conn: conn, id: id, rooms: map[string]Strategy{
		"rls": rls{conn}, "schema": &schemas{app: conn, owner: conn, role: s.role, close: func() {}}, "database": s.rooms["database"],
	}}
	// It is looked at behind the lock: a deletion closes the tenant first and takes the lock then, so that one of the two sees the other.
	stays := false
	err = conn.QueryRow(ctx, `select exists (select from tenants where id = $1::uuid and status not in `+settledStates+`)`, string(id)).Scan(&stays)
	if err != nil {
		return fmt.Errorf("look whether a tenant may move: %w", err)
	}
	if stays {
		return fmt.Errorf("%w: it is not moved any more", ErrState)
	}
	from, err := noted(ctx, conn, id)
	if err != nil {
		return err
	}
	to := homes(tier)
	if from != to {
		if err := m.fill(ctx, from, to); err != nil {
			return err
		}
		if err := settle(ctx, conn, id, to); err != nil {
			return err
		}
	}
	for name := range m.rooms {
		if name != to {
			if err := m.empty(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// lock opens a session of the owner's own, which no pool lends to anybody else, and locks the tenant on it.
func (s *hybrid) lock(ctx context.Context, id tenant.ID) (*pgx.Conn, error) {
	cfg := s.owner.Config().ConnConfig
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // see openSchemas
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect for a move: %w", err)
	}
	err = within(ctx, conn, "lock_timeout", lockFor, `select pg_advisory_lock(hashtextextended(@key, 0))`, pgx.NamedArgs{"key": "move " + string(id)}, nil)
	if err == nil {
		return conn, nil
	}
	hangUp(ctx, conn)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "55P03" {
		return nil, ErrMoving
	}
	return nil, fmt.Errorf("lock a tenant for a move: %w", err)
}

// hangUp ends a session, and with it what it has locked.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = conn.Close(ctx) // the server notices without being told
}

// mover moves one tenant, on one session.
type mover struct {
	conn  *pgx.Conn
	id    tenant.ID
	rooms map[string]Strategy
}

// fill empties a room and copies into it what is in another.
func (m mover) fill(ctx context.Context, from, to string) error {
	source, ok := m.rooms[from]
	if !ok {
		return fmt.Errorf("the registry says that a tenant lives in %q, which is no room", from)
	}
	if err := m.empty(ctx, to); err != nil {
		return err
	}
	if err := m.rooms[to].Provision(ctx, m.id); err != nil {
		return err
	}
	for _, table := range tenantTables() {
		if err := m.carry(ctx, table, source, m.rooms[to]); err != nil {
			return err
		}
	}
	return nil
}

// empty removes what a room holds of the tenant, the trail in shared tables included: here it is moved, not forgotten, and only
// the owner may take it away.
func (m mover) empty(ctx context.Context, room string) error {
	if err := m.rooms[room].Remove(ctx, m.id); err != nil || room != "rls" {
		return err
	}
	sql := `delete from audit where tenant_id = @tenant::uuid`
	if err := m.rooms[room].Query(ctx, m.id, sql, pgx.NamedArgs{"tenant": string(m.id)}, nil); err != nil {
		return fmt.Errorf("take the trail out of the shared tables: %w", err)
	}
	return nil
}

// carryRows is how many rows are carried at once.
const carryRows = 500

// carry copies the rows of a table from one room to another, some hundred at a time, each time those behind the last.
func (m mover) carry(ctx context.Context, t table, from, to Strategy) error {
	columns := "tenant_id, " + t.moved
	read := `select json_agg(r)::text, count(*), (json_agg(r) -> -1)::text from (
		select ` + with(columns, t.order) + ` from ` + t.name + ` where tenant_id = @tenant::uuid and (@after::text is null
			or (` + t.order + `) > (select ` + t.order + ` from json_populate_record(null::` + t.name + `, @after::json)))
		order by ` + t.order + ` limit @limit) r`
	write := `insert into ` + t.name + ` (` + columns + `) select ` + columns +
		` from json_populate_recordset(null::` + t.name + `, @rows::json) where tenant_id = @tenant::uuid`
	var rows, after *string
	for n := carryRows; n == carryRows; {
		err := from.Query(ctx, m.id, read, pgx.NamedArgs{"tenant": string(m.id), "limit": carryRows, "after": after},
			func(r pgx.Rows) error { return r.Scan(&rows, &n, &after) })
		if err == nil && n > 0 {
			err = to.Query(ctx, m.id, write, pgx.NamedArgs{"tenant": string(m.id), "rows": *rows}, nil)
		}
		if err != nil {
			return fmt.Errorf("carry %s to another room: %w", t.name, err)
		}
	}
	return nil
}

// with adds the columns that rows are ordered by, where they are not carried themselves.
func with(columns, order string) string {
	for column := range strings.SplitSeq(order, ", ") {
		if !strings.Contains(", "+columns+",", ", "+column+",") {
			columns += ", " + column
		}
	}
	return columns
}
