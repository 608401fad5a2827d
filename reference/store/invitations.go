package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// InvitationLifetime is how long an invitation can be accepted.
const InvitationLifetime = 7 * 24 * time.Hour

// Invitation to become a user. Its token is known by a digest only.
type Invitation struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Role      string    `json:"role"`
	InvitedBy string    `json:"invited_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Invitations of the tenant in the context.
type Invitations interface {
	// Create invites somebody; ErrConflict when that is a user, or is invited already.
	Create(ctx context.Context, email, role, digest string) (Invitation, error)
	List(ctx context.Context, limit int) ([]Invitation, error)
	// Renew gives an invitation a new token and new time; the token it had is worth nothing.
	Renew(ctx context.Context, id, digest string) (Invitation, error)
	Delete(ctx context.Context, id string) error
	// Accept turns an invitation into a user with a password hash, once. ErrNotFound when there is none, or no longer.
	Accept(ctx context.Context, digest, hash string) (Member, error)
}

// Names of the statements of invitations.
const (
	InvitationCreate = "invitation.create"
	InvitationList   = "invitation.list"
	InvitationRenew  = "invitation.renew"
	InvitationDelete = "invitation.delete"
	InvitationAccept = "invitation.accept"
)

const invitationColumns = `id, email, role, invited_by, created_at, expires_at`

func invitationsTable() table {
	return table{
		name: "invitations", access: true, moved: invitationColumns + ", digest", order: "id",
		definition: `id uuid not null, email text not null, role text not null, invited_by text not null, digest text not null,
			created_at timestamptz not null, expires_at timestamptz not null,
			primary key (tenant_id, id), unique (tenant_id, email), unique (tenant_id, digest)`,
	}
}

func invitationStatements() Statements {
	return Statements{
		// One that has expired does not stand in the way of another.
		InvitationCreate: `insert into invitations as i (tenant_id, id, email, role, invited_by, digest, created_at, expires_at)
			select @tenant::uuid, @id::uuid, @email, @role, @actor, @digest, @now::timestamptz, @until::timestamptz
			where not exists (select from users where tenant_id = @tenant::uuid and email = @email)
			on conflict (tenant_id, email) do update set id = excluded.id, role = excluded.role, invited_by = excluded.invited_by,
				digest = excluded.digest, created_at = excluded.created_at, expires_at = excluded.expires_at
				where i.tenant_id = @tenant::uuid and i.expires_at <= @now::timestamptz
			returning ` + invitationColumns,
		InvitationList: `select ` + invitationColumns + ` from invitations where tenant_id = @tenant::uuid
			order by created_at desc, id desc limit @limit`,
		InvitationRenew: `update invitations set digest = @digest, expires_at = @until
			where tenant_id = @tenant::uuid and id = @uuid::uuid returning ` + invitationColumns,
		InvitationDelete: `delete from invitations where tenant_id = @tenant::uuid and id = @uuid::uuid`,
		InvitationAccept: `with accepted as (delete from invitations
				where tenant_id = @tenant::uuid and digest = @digest and expires_at > @now returning email, role)
			insert into users (tenant_id, email, role, password_hash)
				select @tenant::uuid, email, role, @hash from accepted returning email, role`,
	}
}

type invitations struct{ db *DB }

// NewInvitations keeps invitations in Postgres.
func NewInvitations(db *DB) Invitations { return invitations{db} }

func (i invitations) Create(ctx context.Context, email, role, digest string) (Invitation, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return Invitation{}, err
	}
	now := i.db.now()
	made, err := one[Invitation](ctx, i.db, InvitationCreate, pgx.NamedArgs{
		"id": uuid.NewString(), "email": email, "role": role, "actor": identity.User, "digest": digest,
		"now": now, "until": now.Add(InvitationLifetime),
	})
	if errors.Is(err, ErrNotFound) {
		err = ErrConflict
	}
	return made, err
}

func (i invitations) List(ctx context.Context, limit int) ([]Invitation, error) {
	return many[Invitation](ctx, i.db, InvitationList, pgx.NamedArgs{"limit": limit})
}

func (i invitations) Renew(ctx context.Context, id, digest string) (Invitation, error) {
	args := byID(id)
	args["digest"], args["until"] = digest, i.db.now().Add(InvitationLifetime)
	return one[Invitation](ctx, i.db, InvitationRenew, args)
}

func (i invitations) Delete(ctx context.Context, id string) error {
	return i.db.affected(ctx, InvitationDelete, byID(id))
}

func (i invitations) Accept(ctx context.Context, digest, hash string) (Member, error) {
	return one[Member](ctx, i.db, InvitationAccept, pgx.NamedArgs{"digest": digest, "hash": hash, "now": i.db.now()})
}
