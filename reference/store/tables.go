package store

import (
	"cmp"
	"strings"
)

// A table holds rows of tenants. Each has a tenant_id, and it leads the primary key and every reference to another table:
// a row cannot even point at a row of somebody else.
type table struct {
	name string
	// definition is what follows the tenant_id within the brackets of create table.
	definition string
	// more is the SQL that follows, indexes for example.
	more string
	// moved are the columns, but for the tenant_id, that a move to another room carries, in the given order of rows.
	moved, order string
	// grants are what the application may do; empty: read and write.
	grants string
	// trail: only the owner may take away what is in it.
	trail bool
	// access: its rows let somebody in. Offboarding takes them away.
	access bool
}

// tenantTables are all of them, parents first.
func tenantTables() []table {
	return []table{
		usersTable(), sessionsTable(), refreshTokensTable(), invitationsTable(),
		categoriesTable(), documentsTable(), commentsTable(), projectsTable(), notesTable(), countersTable(),
		invoicesTable(), preferencesTable(), oncesTable(), auditTable(), auditHeadsTable(), sharesTable(), overridesTable(),
		exportsTable(), webhooksTable(), quotasTable(), dataKeysTable(),
		apiKeysTable(),
	}
}

// TenantTables are the names of the tables whose rows belong to tenants, parents first.
func TenantTables() (names []string) {
	for _, t := range tenantTables() {
		names = append(names, t.name)
	}
	return names
}

// tables is the SQL that makes them; it is the same in all strategies. A check narrows a room of a tenant's own to its rows:
// what is meant for somebody else does not fit in.
func tables(check string) string {
	owner := `uuid not null`
	if check != "" {
		owner += ` check (tenant_id = '` + check + `')`
	}
	var b strings.Builder
	for _, t := range tenantTables() {
		b.WriteString("create table " + t.name + " (tenant_id " + owner + ", " + t.definition + ");\n")
		if t.more != "" {
			b.WriteString(t.more + ";\n")
		}
	}
	return b.String() + grants()
}

// grants let the application's role work on the tables, as far as each allows.
func grants() string {
	var b strings.Builder
	for _, t := range tenantTables() {
		b.WriteString("grant " + cmp.Or(t.grants, "select, insert, update, delete") + " on " + t.name + " to partywall_app;\n")
	}
	return b.String()
}

// TablesOfAccess are those whose rows let somebody in.
func TablesOfAccess() (names []string) {
	for _, t := range tenantTables() {
		if t.access {
			names = append(names, t.name)
		}
	}
	return names
}

// registry is what belongs to the service rather than to tenants: who there is, the anchors of their trails, and the log of their lives, which the application may
// only add to.
const registry = `
create table tenants (
	id uuid primary key, slug text not null, name text not null, tier text not null,
	status text not null check (status in ('PROVISIONING','ACTIVE','SUSPENDED','OFFBOARDING','DELETED')),
	home text not null default '', moving_to text not null default '', ending boolean not null default false,
	retain_days int not null default 0, delete_after timestamptz, claimed_until timestamptz,
	created_at timestamptz not null default now(), deleted_at timestamptz);
create unique index tenants_live_slug on tenants (slug) where status <> 'DELETED';
create table audit_anchors (id uuid primary key, seq bigint not null, hash bytea not null, mark text not null, at timestamptz not null default now());
create index tenants_due on tenants (created_at, id) where status in ('PROVISIONING', 'OFFBOARDING');
create table lives (id bigint generated always as identity primary key, tenant uuid not null, at timestamptz not null,
	step text not null, operator text not null);
create index lives_of_tenant on lives (tenant, id);
grant usage on schema public to partywall_app;
grant select, insert, update on tenants, audit_anchors to partywall_app;
grant select, insert on lives to partywall_app;
`
