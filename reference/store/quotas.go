package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// ErrQuota means that the tenant has as much as its tier allows. To wait does not help; to delete something does.
var ErrQuota = errors.New("a quota of the tenant's tier is used up")

// Quota is how much the tenants on a tier may have. 0 is no limit.
type Quota struct {
	Documents int64 // the trash included
	Bytes     int64 // of files, with all their versions
	Jobs      int64 // that wait
}

// DefaultQuotas are those of the tiers.
func DefaultQuotas() map[string]Quota {
	return map[string]Quota{
		"test": {}, "test-schema": {}, "test-database": {}, "test-plain": {},
		"test-small": {Documents: 5, Bytes: 64 << 10, Jobs: 5},
		"free":       {Documents: 1_000, Bytes: 100 << 20, Jobs: 10},
		"starter":    {Documents: 10_000, Bytes: 1 << 30, Jobs: 50},
		"business":   {Documents: 100_000, Bytes: 10 << 30, Jobs: 200},
		"enterprise": {Documents: 1_000_000, Bytes: 100 << 30, Jobs: 1_000},
	}
}

// quota of the tenant in the context. A tier that is not known has none to give.
func (db *DB) quota(ctx context.Context) (Quota, error) {
	id, err := tenant.From(ctx)
	if err != nil || db.Quotas == nil {
		return Quota{}, err
	}
	q, known := db.Quotas[id.Tier]
	if !known {
		return Quota{}, fmt.Errorf("the tier %q has no quotas defined", id.Tier)
	}
	return q, nil
}

// orNone is a limit as statements take it: null where there is none.
func orNone(limit int64) any {
	if limit == 0 {
		return nil
	}
	return limit
}

// Quotas count the bytes of files, which no row of the store holds, for the tenant in the context. Documents are counted by the
// statements that write and delete them.
//
// An upload takes its bytes before it begins, and either keeps them for its file or gives them back, once. What a process took
// that ended in the middle stays taken: it errs on the side of the quota.
type Quotas interface {
	// Used is what the tenant has, by the kind: documents, bytes.
	Used(ctx context.Context) (map[string]int64, error)
	// Reserve takes bytes for an upload; ErrQuota when there are not so many.
	Reserve(ctx context.Context, bytes int64) (reservation string, err error)
	// Keep makes a reservation a part of a file; Release gives it back. ErrNotFound when one of them was done already.
	Keep(ctx context.Context, reservation, file string) error
	Release(ctx context.Context, reservation string) error
	// Forget gives back what a file and its versions had taken. It may be repeated.
	Forget(ctx context.Context, file string) error
}

// Names of the statements of quotas.
const (
	QuotaUsed    = "quota.used"
	QuotaReserve = "quota.reserve"
	QuotaKeep    = "quota.keep"
	QuotaRelease = "quota.release"
)

// A row with an empty name is a total; the others are what it is made of, where something must be given back later.
func quotasTable() table {
	return table{
		name: "quotas", moved: "kind, name, used", order: "kind, name",
		definition: `kind text not null, name text not null, used bigint not null check (used >= 0), primary key (tenant_id, kind, name)`,
	}
}

// taken is a part of a statement that adds to a total, if that does not exceed @quota then. The row of the total is locked until
// the end of the statement, so that those who come at once are counted one after the other; what fails in the statement takes
// nothing. only may name a further condition.
func taken(kind, n, only string) string {
	return `insert into quotas as q (tenant_id, kind, name, used)
		select @tenant::uuid, '` + kind + `', '', ` + n + ` where (@quota::bigint is null or ` + n + ` <= @quota::bigint)` + only + `
		on conflict (tenant_id, kind, name) do update set used = q.used + excluded.used
			where @quota::bigint is null or q.used + excluded.used <= @quota::bigint
		returning 1`
}

func quotaStatements() Statements {
	const row = ` from quotas where tenant_id = @tenant::uuid and kind = 'bytes' and name = @name and name <> '' returning used`
	return Statements{
		QuotaUsed: `select kind, used from quotas where tenant_id = @tenant::uuid and name = ''`,
		QuotaReserve: `with taken as (` + taken("bytes", "@bytes::bigint", "") + `)
			insert into quotas (tenant_id, kind, name, used) select @tenant::uuid, 'bytes', @name, @bytes::bigint from taken`,
		QuotaKeep: `with reserved as (delete` + row + `)
			insert into quotas as q (tenant_id, kind, name, used) select @tenant::uuid, 'bytes', @file, used from reserved
			on conflict (tenant_id, kind, name) do update set used = q.used + excluded.used`,
		QuotaRelease: `with gone as (delete` + row + `)
			update quotas q set used = greatest(0, q.used - gone.used) from gone
			where q.tenant_id = @tenant::uuid and q.kind = 'bytes' and q.name = ''`,
	}
}

type quotas struct{ db *DB }

// NewQuotas counts in Postgres.
func NewQuotas(db *DB) Quotas { return quotas{db} }

func (q quotas) Used(ctx context.Context) (map[string]int64, error) {
	type total struct {
		Kind string
		Used int64
	}
	totals, err := many[total](ctx, q.db, QuotaUsed, pgx.NamedArgs{})
	used := map[string]int64{}
	for _, t := range totals {
		used[t.Kind] = t.Used
	}
	return used, err
}

func (q quotas) Reserve(ctx context.Context, bytes int64) (string, error) {
	quota, err := q.db.quota(ctx)
	if err != nil {
		return "", err
	}
	name := "upload/" + uuid.NewString()
	err = q.db.affected(ctx, QuotaReserve, pgx.NamedArgs{"name": name, "bytes": bytes, "quota": orNone(quota.Bytes)})
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("%w: %d bytes of files", ErrQuota, quota.Bytes)
	}
	return name, err
}

func (q quotas) Keep(ctx context.Context, reservation, file string) error {
	return q.db.affected(ctx, QuotaKeep, pgx.NamedArgs{"name": reservation, "file": "file/" + file})
}

func (q quotas) Release(ctx context.Context, reservation string) error {
	return q.db.affected(ctx, QuotaRelease, pgx.NamedArgs{"name": reservation})
}

func (q quotas) Forget(ctx context.Context, file string) error {
	err := q.Release(ctx, "file/"+file)
	if errors.Is(err, ErrNotFound) {
		err = nil // it was forgotten already
	}
	return err
}
