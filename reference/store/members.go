package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// ErrLastAdmin means that a tenant would be left without anybody who can manage it.
var ErrLastAdmin = errors.New("the tenant would have no admin left")

// Member of a tenant: a user, without the password.
type Member struct {
	Email string `json:"email"`
	Role  string `json:"role"`
}

// Names of the statements of members.
const (
	MemberList   = "member.list"
	MemberChange = "member.change"
	MemberRemove = "member.remove"
)

// anotherAdmin holds where an admin is left without the member. It locks them all, in one order, so that of two admins who
// demote each other at once only one succeeds.
const (
	admins       = `with admins as materialized (select email from users where tenant_id = @tenant::uuid and role = 'admin' order by email for update) `
	anotherAdmin = `exists (select from admins where email <> @email)`
)

func memberStatements() Statements {
	return Statements{
		MemberList: `select email, role from users where tenant_id = @tenant::uuid order by email limit @limit`,
		MemberChange: admins + `update users set role = @role
			where tenant_id = @tenant::uuid and email = @email and (@role = 'admin' or ` + anotherAdmin + `) returning email, role`,
		MemberRemove: admins + `delete from users
			where tenant_id = @tenant::uuid and email = @email and ` + anotherAdmin + ` returning email, role`,
	}
}

func (u users) List(ctx context.Context, limit int) ([]Member, error) {
	return many[Member](ctx, u.db, MemberList, pgx.NamedArgs{"limit": limit})
}

func (u users) SetRole(ctx context.Context, email, role string) (Member, error) {
	return u.unlessLast(ctx, MemberChange, email, pgx.NamedArgs{"email": email, "role": role})
}

func (u users) Remove(ctx context.Context, email string) error {
	_, err := u.unlessLast(ctx, MemberRemove, email, pgx.NamedArgs{"email": email})
	return err
}

// unlessLast tells a member who is not there from one who must stay.
func (u users) unlessLast(ctx context.Context, statement, email string, args pgx.NamedArgs) (Member, error) {
	member, err := one[Member](ctx, u.db, statement, args)
	if !errors.Is(err, ErrNotFound) {
		return member, err
	}
	if _, _, err = u.Get(ctx, email); err == nil {
		err = ErrLastAdmin
	}
	return Member{}, err
}
