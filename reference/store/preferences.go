package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Preference is a named value; its name is chosen by the client.
type Preference struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Preferences of the tenant in the context, under the same rules as Documents.
type Preferences interface {
	Put(ctx context.Context, p Preference) error
	Get(ctx context.Context, name string) (Preference, error)
	List(ctx context.Context) ([]Preference, error)
	Delete(ctx context.Context, name string) error
}

// Names of the statements of preferences.
const (
	PreferencePut    = "preference.put"
	PreferenceGet    = "preference.get"
	PreferenceList   = "preference.list"
	PreferenceDelete = "preference.delete"
)

func preferencesTable() table {
	return table{
		name: "preferences", moved: "name, value", order: "name",
		definition: `name text not null, value text not null, primary key (tenant_id, name)`,
	}
}

func preferenceStatements() Statements {
	return Statements{
		PreferencePut: `insert into preferences (tenant_id, name, value) values (@tenant::uuid, @name, @value)
			on conflict (tenant_id, name) do update set value = excluded.value`,
		PreferenceGet:    `select name, value from preferences where tenant_id = @tenant::uuid and name = @name`,
		PreferenceList:   `select name, value from preferences where tenant_id = @tenant::uuid order by name limit 500`,
		PreferenceDelete: `delete from preferences where tenant_id = @tenant::uuid and name = @name`,
	}
}

type preferences struct{ db *DB }

// NewPreferences keeps preferences in Postgres.
func NewPreferences(db *DB) Preferences { return preferences{db} }

func (s preferences) Put(ctx context.Context, p Preference) error {
	return s.db.query(ctx, PreferencePut, pgx.NamedArgs{"name": p.Name, "value": p.Value}, nil)
}

func (s preferences) Get(ctx context.Context, name string) (Preference, error) {
	return one[Preference](ctx, s.db, PreferenceGet, pgx.NamedArgs{"name": name})
}

func (s preferences) List(ctx context.Context) ([]Preference, error) {
	return many[Preference](ctx, s.db, PreferenceList, pgx.NamedArgs{})
}

func (s preferences) Delete(ctx context.Context, name string) error {
	return s.db.affected(ctx, PreferenceDelete, pgx.NamedArgs{"name": name})
}
