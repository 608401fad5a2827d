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

type preferences struct{ db *DB }

// NewPreferences keeps preferences in Postgres.
func NewPreferences(db *DB) Preferences { return preferences{db} }

func (s preferences) Put(ctx context.Context, p Preference) error {
	return s.db.query(ctx, PreferencePut, pgx.NamedArgs{"name": p.Name, "value": p.Value}, nil)
}

func (s preferences) Get(ctx context.Context, name string) (Preference, error) {
	p, found := Preference{Name: name}, false
	err := s.db.query(ctx, PreferenceGet, pgx.NamedArgs{"name": name}, func(rows pgx.Rows) error {
		found = true
		return rows.Scan(&p.Value)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return p, err
}

func (s preferences) List(ctx context.Context) ([]Preference, error) {
	list := []Preference{}
	err := s.db.query(ctx, PreferenceList, pgx.NamedArgs{}, func(rows pgx.Rows) error {
		var p Preference
		defer func() { list = append(list, p) }()
		return rows.Scan(&p.Name, &p.Value)
	})
	return list, err
}

func (s preferences) Delete(ctx context.Context, name string) error {
	return s.db.affected(ctx, PreferenceDelete, pgx.NamedArgs{"name": name})
}
