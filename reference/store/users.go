package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Users of the tenant in the context.
type Users interface {
	Create(ctx context.Context, email, role, hash string) error
	// Get returns role and password hash, or ErrNotFound.
	Get(ctx context.Context, email string) (role, hash string, err error)
	List(ctx context.Context, limit int) ([]Member, error)
	// SetRole and Remove answer ErrLastAdmin rather than leave a tenant without an admin. Sessions go with their user.
	SetRole(ctx context.Context, email, role string) (Member, error)
	Remove(ctx context.Context, email string) error
}

// Names of the statements of users.
const (
	UserCreate = "user.create"
	UserGet    = "user.get"
)

func usersTable() table {
	return table{
		name: "users", moved: "email, role, password_hash", order: "email",
		definition: `email text not null, role text not null, password_hash text not null, primary key (tenant_id, email)`,
	}
}

func userStatements() Statements {
	return Statements{
		UserCreate: `insert into users (tenant_id, email, role, password_hash) values (@tenant::uuid, @email, @role, @hash)`,
		UserGet:    `select role, password_hash from users where tenant_id = @tenant::uuid and email = @email`,
	}
}

type users struct{ db *DB }

// NewUsers keeps users in Postgres.
func NewUsers(db *DB) Users { return users{db} }

func (u users) Create(ctx context.Context, email, role, hash string) error {
	return u.db.query(ctx, UserCreate, pgx.NamedArgs{"email": email, "role": role, "hash": hash}, nil)
}

func (u users) Get(ctx context.Context, email string) (role, hash string, err error) {
	found := false
	err = u.db.query(ctx, UserGet, pgx.NamedArgs{"email": email}, func(rows pgx.Rows) error {
		found = true
		return rows.Scan(&role, &hash)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return role, hash, err
}
