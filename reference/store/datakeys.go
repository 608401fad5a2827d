package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// DataKeys keeps the wrapped data keys of the tenant in the context. Nobody can read one without the master key that wrapped it; what
// their tenant has sealed with them cannot be read once they are deleted.
type DataKeys interface {
	Add(ctx context.Context, id, wrapped string) error
	// Get returns a key, ok is false when the tenant has no such key.
	Get(ctx context.Context, id string) (wrapped string, ok bool, err error)
	// Newest returns the key that was added last, ok is false when the tenant has none.
	Newest(ctx context.Context) (id, wrapped string, ok bool, err error)
}

// Names of the statements of data keys.
const (
	DataKeyAdd    = "data key.add"
	DataKeyGet    = "data key.get"
	DataKeyNewest = "data key.newest"
)

func dataKeysTable() table {
	return table{
		name: "data_keys", moved: "id, wrapped, created_at", order: "id",
		definition: `id uuid not null, wrapped text not null, created_at timestamptz not null default now(), primary key (tenant_id, id)`,
	}
}

func dataKeyStatements() Statements {
	const of = `select id, wrapped from data_keys where tenant_id = @tenant::uuid`
	return Statements{
		DataKeyAdd:    `insert into data_keys (tenant_id, id, wrapped) values (@tenant::uuid, @id::uuid, @wrapped)`,
		DataKeyGet:    of + ` and id = @uuid::uuid`,
		DataKeyNewest: of + ` order by created_at desc, id desc limit 1`,
	}
}

type dataKeys struct{ db *DB }

// NewDataKeys keeps data keys in Postgres.
func NewDataKeys(db *DB) DataKeys { return dataKeys{db} }

type dataKey struct{ ID, Wrapped string }

func (k dataKeys) Add(ctx context.Context, id, wrapped string) error {
	return k.db.query(ctx, DataKeyAdd, pgx.NamedArgs{"id": id, "wrapped": wrapped}, nil)
}

func (k dataKeys) Get(ctx context.Context, id string) (string, bool, error) {
	row, ok, err := k.one(ctx, DataKeyGet, byID(id))
	return row.Wrapped, ok, err
}

func (k dataKeys) Newest(ctx context.Context) (string, string, bool, error) {
	row, ok, err := k.one(ctx, DataKeyNewest, pgx.NamedArgs{})
	return row.ID, row.Wrapped, ok, err
}

func (k dataKeys) one(ctx context.Context, statement string, args pgx.NamedArgs) (dataKey, bool, error) {
	row, err := one[dataKey](ctx, k.db, statement, args)
	if errors.Is(err, ErrNotFound) {
		return dataKey{}, false, nil
	}
	return row, err == nil, err
}
