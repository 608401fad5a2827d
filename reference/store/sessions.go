package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// SessionLifetime is how long a session lasts from its login, however often it is refreshed.
const SessionLifetime = 30 * 24 * time.Hour

// ErrReused means that a refresh token was presented for the second time: one of the two who hold it has stolen it.
var ErrReused = errors.New("the refresh token was spent before")

// Session of a user: what its access tokens stand on.
type Session struct{ ID, Email, Role string }

// Sessions of the users of the tenant in the context. A session ends when it is revoked, when its user is removed, and
// SessionLifetime after its login. Refresh tokens are known by their digests only.
type Sessions interface {
	// Open begins a session of a user with its first refresh token.
	Open(ctx context.Context, email, digest string) (id string, err error)
	// Known tells whether a refresh token may be spent.
	Known(ctx context.Context, digest string) (bool, error)
	// Rotate spends a refresh token and makes its successor known. ErrNotFound when it cannot be spent; ErrReused when it was
	// spent before, and then its session is over.
	Rotate(ctx context.Context, digest, next string) (Session, error)
	// Live answers ErrNotFound unless the session of the acting user goes on and the user still has its role.
	Live(ctx context.Context) error
	// Holder is who the session of the acting visitor belongs to, while it goes on.
	Holder(ctx context.Context) (Session, error)
	Revoke(ctx context.Context, id string) error
	// RevokeOf ends all sessions of a user, RevokeAll those of everybody. They say how many there were.
	RevokeOf(ctx context.Context, email string) (int, error)
	RevokeAll(ctx context.Context) (int, error)
}

// Names of the statements of sessions.
const (
	SessionOpen   = "session.open"
	SessionKnown  = "session.known"
	SessionRotate = "session.rotate"
	SessionReused = "session.reused"
	SessionLive   = "session.live"
	SessionHolder = "session.holder"
	SessionRevoke = "session.revoke"
	// of one user, and of all.
	SessionRevokeOf  = "session.revoke of"
	SessionRevokeAll = "session.revoke all"
)

func sessionsTable() table {
	return table{
		name: "sessions", access: true, moved: "id, email, created_at, expires_at", order: "id",
		definition: `id uuid not null, email text not null, created_at timestamptz not null default now(), expires_at timestamptz not null,
			primary key (tenant_id, id), foreign key (tenant_id, email) references users (tenant_id, email) on delete cascade`,
		more: `create index sessions_of_user on sessions (tenant_id, email)`,
	}
}

func refreshTokensTable() table {
	return table{
		name: "refresh_tokens", access: true, moved: "digest, session_id, spent_at", order: "digest",
		definition: `digest text not null, session_id uuid not null, spent_at timestamptz, primary key (tenant_id, digest),
			foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade`,
		more: `create index refresh_tokens_of_session on refresh_tokens (tenant_id, session_id)`,
	}
}

func sessionStatements() Statements {
	const spendable = ` r.tenant_id = @tenant::uuid and r.digest = @digest and r.spent_at is null
		and s.tenant_id = @tenant::uuid and s.id = r.session_id and s.expires_at > @now`
	return Statements{
		// What has expired of the user goes with the next login.
		SessionOpen: `with expired as (delete from sessions where tenant_id = @tenant::uuid and email = @email and expires_at <= @now),
			opened as (insert into sessions (tenant_id, id, email, created_at, expires_at)
				values (@tenant::uuid, @id::uuid, @email, @now, @until) returning tenant_id, id)
			insert into refresh_tokens (tenant_id, digest, session_id) select tenant_id, @digest, id from opened`,
		SessionKnown: `select s.id from refresh_tokens r, sessions s where` + spendable,
		// The lock on the spent row lets one of two who come at once win; to the other it is spent.
		SessionRotate: `with spent as (update refresh_tokens r set spent_at = @now from sessions s where` + spendable + ` returning r.session_id),
			next as (insert into refresh_tokens (tenant_id, digest, session_id)
				select @tenant::uuid, @next, session_id from spent returning session_id)
			select s.id, s.email, u.role from next n, sessions s, users u
			where s.tenant_id = @tenant::uuid and s.id = n.session_id and u.tenant_id = @tenant::uuid and u.email = s.email`,
		SessionReused: `delete from sessions s using refresh_tokens r
			where r.tenant_id = @tenant::uuid and r.digest = @digest and r.spent_at is not null
				and s.tenant_id = @tenant::uuid and s.id = r.session_id returning s.id, s.email, '' as role`,
		SessionLive: `select s.id, s.email, u.role from sessions s, users u
			where s.tenant_id = @tenant::uuid and s.id = @uuid::uuid and s.email = @email and s.expires_at > @now
				and u.tenant_id = @tenant::uuid and u.email = s.email and u.role = @role`,
		SessionHolder: `select s.id, s.email, u.role from sessions s, users u
			where s.tenant_id = @tenant::uuid and s.id = @uuid::uuid and s.expires_at > @now and u.tenant_id = @tenant::uuid and u.email = s.email`,
		SessionRevoke:    `delete from sessions where tenant_id = @tenant::uuid and id = @uuid::uuid`,
		SessionRevokeOf:  `delete from sessions where tenant_id = @tenant::uuid and email = @email returning id`,
		SessionRevokeAll: `delete from sessions where tenant_id = @tenant::uuid returning id`,
	}
}

type sessions struct{ db *DB }

// NewSessions keeps sessions in Postgres.
func NewSessions(db *DB) Sessions { return sessions{db} }

func (s sessions) Open(ctx context.Context, email, digest string) (string, error) {
	id, now := uuid.NewString(), s.db.now()
	return id, s.db.query(ctx, SessionOpen, pgx.NamedArgs{
		"id": id, "email": email, "digest": digest, "now": now, "until": now.Add(SessionLifetime),
	}, nil)
}

func (s sessions) Known(ctx context.Context, digest string) (known bool, err error) {
	err = s.db.query(ctx, SessionKnown, pgx.NamedArgs{"digest": digest, "now": s.db.now()}, func(pgx.Rows) error {
		known = true
		return nil
	})
	return known, err
}

func (s sessions) Rotate(ctx context.Context, digest, next string) (Session, error) {
	args := pgx.NamedArgs{"digest": digest, "next": next, "now": s.db.now()}
	session, err := one[Session](ctx, s.db, SessionRotate, args)
	if errors.Is(err, ErrReference) { // it was revoked this moment
		return Session{}, ErrNotFound
	}
	if !errors.Is(err, ErrNotFound) {
		return session, err
	}
	if session, err = one[Session](ctx, s.db, SessionReused, args); err == nil {
		err = ErrReused
	}
	return session, err
}

func (s sessions) Live(ctx context.Context) error {
	identity, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	args := byID(identity.Session)
	args["email"], args["role"], args["now"] = identity.User, identity.Role, s.db.now()
	_, err = one[Session](ctx, s.db, SessionLive, args)
	return err
}

func (s sessions) Holder(ctx context.Context) (Session, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return Session{}, err
	}
	args := byID(identity.Session)
	args["now"] = s.db.now()
	return one[Session](ctx, s.db, SessionHolder, args)
}

func (s sessions) Revoke(ctx context.Context, id string) error {
	return s.db.affected(ctx, SessionRevoke, byID(id))
}

func (s sessions) RevokeOf(ctx context.Context, email string) (int, error) {
	return s.ended(ctx, SessionRevokeOf, pgx.NamedArgs{"email": email})
}

func (s sessions) RevokeAll(ctx context.Context) (int, error) {
	return s.ended(ctx, SessionRevokeAll, pgx.NamedArgs{})
}

// ended counts the sessions that a statement ended.
func (s sessions) ended(ctx context.Context, statement string, args pgx.NamedArgs) (n int, err error) {
	err = s.db.query(ctx, statement, args, func(pgx.Rows) error { n++; return nil })
	return n, err
}
