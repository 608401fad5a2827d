package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/store/storetest"
	"github.com/partywall/partywall/reference/tenant"
)

// TestStatementsNameTheTenant: every statement compares the tenant of its rows, or writes it.
func TestStatementsNameTheTenant(t *testing.T) {
	for name, sql := range store.DefaultStatements() {
		if !strings.Contains(sql, "@tenant::uuid") {
			t.Errorf("%s names no tenant: %s", name, sql)
		}
	}
}

// settled admits a tenant that has a row in every table.
func settled(t *testing.T, db *store.DB) context.Context {
	t.Helper()
	id := tenant.New()
	ctx := tenant.NewContext(t.Context(), tenant.Identity{Tenant: id, User: "alice@example.com", Role: "admin", Tier: "test"})
	err := (&store.Tenants{Pool: db.Pool}).Add(ctx, store.Record{ID: id, Slug: string(id), Tier: "test", Status: store.Active})
	if err == nil {
		err = db.Strategy.Provision(ctx, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range storetest.Subjects(db) {
		if _, err := s.Plant(ctx, "of "+string(id)); err != nil {
			t.Fatalf("plant %s: %v", s.Name, err)
		}
	}
	return ctx
}

// TestForeignRows: where the tenant of a transaction is one, no row of another can be written, whatever the statement names: a
// policy refuses it in shared tables, and a check in tables of a tenant's own. No row of it can be seen, changed or deleted.
func TestForeignRows(t *testing.T) {
	for strategy, refused := range map[string]func(*pgconn.PgError) bool{
		"rls":    func(err *pgconn.PgError) bool { return err.Code == "42501" && err.Routine == "ExecWithCheckOptions" },
		"hybrid": func(err *pgconn.PgError) bool { return err.Code == "42501" && err.Routine == "ExecWithCheckOptions" },
		"schema": func(err *pgconn.PgError) bool { return err.Code == "23514" },
	} {
		t.Run(strategy, func(t *testing.T) {
			db := open(t, strategy, storetest.Wide)
			a, b := settled(t, db), settled(t, db)
			own, foreign := tenantOf(t, a), tenantOf(t, b)
			as := func(sql string) (rows int, err error) {
				err = db.Strategy.Query(a, own, sql, pgx.NamedArgs{"own": string(own), "other": string(foreign)},
					func(pgx.Rows) error { rows++; return nil })
				return rows, err
			}
			_, err := as(`insert into audit (tenant_id, actor, action, object) values (@other::uuid, 'x', 'x', 'x')`)
			if pg := (*pgconn.PgError)(nil); !errors.As(err, &pg) || !refused(pg) {
				t.Errorf("an entry in the trail of b by a: %v", err)
			}
			trail := map[string]bool{"audit": true, "audit_heads": true} // which the application may add entries to, and no more
			for _, table := range store.TenantTables() {
				if n, err := as(`select from ` + table + ` where tenant_id = @own::uuid`); n == 0 || err != nil {
					t.Fatalf("a has %d rows in %s, %v", n, table, err)
				}
				for what, sql := range map[string]string{
					"insert": `insert into ` + table + ` overriding system value
						select r.* from ` + table + ` x, json_populate_record(x, json_build_object('tenant_id', @other::text)) r`,
					"update": `update ` + table + ` set tenant_id = @other::uuid`,
				} {
					_, err := as(sql)
					var pg *pgconn.PgError
					ungranted := trail[table] && errors.As(err, &pg) && pg.Routine == "aclcheck_error"
					if !ungranted && (!errors.As(err, &pg) || !refused(pg)) {
						t.Errorf("%s of a row of b into %s by a: %v", what, table, err)
					}
				}
				for what, sql := range map[string]string{
					"select": `select from ` + table + ` where tenant_id = @other::uuid`,
					"update": `update ` + table + ` set tenant_id = @own::uuid where tenant_id = @other::uuid returning 1`,
					"delete": `delete from ` + table + ` where tenant_id = @other::uuid returning 1`,
				} {
					n, err := as(sql)
					var pg *pgconn.PgError
					if n > 0 || err != nil && (!trail[table] || !errors.As(err, &pg) || pg.Routine != "aclcheck_error") {
						t.Errorf("%s of %d rows of b in %s by a: %v", what, n, table, err)
					}
				}
			}
		})
	}
}

func tenantOf(t *testing.T, ctx context.Context) tenant.ID {
	t.Helper()
	id, err := tenant.From(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return id.Tenant
}

// TestCatalog: what Postgres itself says of the walls. Every table of tenants hides rows, from its owner too, by a policy for all
// that can be done to rows; and the application's role owns nothing, bypasses nothing and belongs to no other role.
func TestCatalog(t *testing.T) {
	for _, strategy := range store.Strategies() {
		t.Run(strategy, func(t *testing.T) {
			db, p := openOn(t, strategy, storetest.Wide)
			settled(t, db)
			count := func(sql string, args ...any) (n int) {
				t.Helper()
				if err := p.Owner.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			if n := count(`select count(*) from pg_roles where rolname = $1 and not (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole
				or rolreplication)`, backing.AppRole); n != 1 {
				t.Error("the application's role can do more than it should")
			}
			if n := count(`select count(*) from pg_auth_members where member = $1::regrole`, backing.AppRole); n != 0 {
				t.Errorf("the application's role belongs to %d others", n)
			}
			if n := count(`select count(*) from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = $1::regrole
				and deptype = 'o'`, backing.AppRole); n != 0 {
				t.Errorf("the application's role owns %d things", n)
			}
			if strategy != "rls" && strategy != "hybrid" {
				return
			}
			for _, table := range store.TenantTables() {
				if n := count(`select count(*) from pg_class where oid = $1::regclass and relrowsecurity and relforcerowsecurity`, table); n != 1 {
					t.Errorf("%s does not force row-level security", table)
				}
				all := count(`select count(*) from pg_policies where tablename = $1`, table)
				good := count(`select count(*) from pg_policies where tablename = $1 and permissive = 'PERMISSIVE' and cmd = 'ALL'
					and roles = '{public}' and qual like '%app.current_tenant%' and with_check = qual`, table)
				if all != 1 || good != 1 {
					t.Errorf("%s has %d policies, %d of which hold for all", table, all, good)
				}
			}
		})
	}
}
