package store

import (
	"slices"
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
	// trail: the application may only add to it, and its numbers are made anew in its order when it moves.
	trail bool
}

// tenantTables are all of them, parents first.
func tenantTables() []table {
	return []table{
		usersTable(), sessionsTable(), refreshTokensTable(), invitationsTable(),
		categoriesTable(), documentsTable(), commentsTable(), projectsTable(), notesTable(), countersTable(),
		invoicesTable(), preferencesTable(), oncesTable(), auditTable(), sharesTable(), overridesTable(),
		exportsTable(), webhooksTable(),
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

// grants let the application's role work on the tables, and only add to the trail.
func grants() string {
	var free, trails []string
	for _, t := range tenantTables() {
		if t.trail {
			trails = append(trails, t.name)
		} else {
			free = append(free, t.name)
		}
	}
	return `grant select, insert, update, delete on ` + strings.Join(free, ", ") + ` to partywall_app;
		grant select, insert on ` + strings.Join(trails, ", ") + ` to partywall_app;`
}

// emptied are the tables that removing a tenant empties, children first. The trail stays: it is append-only for the
// application, and the minimal record of the tenant.
func emptied() (names []string) {
	for _, t := range slices.Backward(tenantTables()) {
		if !t.trail {
			names = append(names, t.name)
		}
	}
	return names
}

// registry is the one table that belongs to the service rather than to tenants.
const registry = `
create table tenants (
	id uuid primary key, slug text not null, name text not null, tier text not null,
	status text not null check (status in ('PROVISIONING','ACTIVE','SUSPENDED','OFFBOARDING','DELETED')),
	home text not null default '', moving_to text not null default '', created_at timestamptz not null default now(), deleted_at timestamptz);
create unique index tenants_live_slug on tenants (slug) where status <> 'DELETED';
grant usage on schema public to partywall_app;
grant select, insert, update on tenants to partywall_app;
`
