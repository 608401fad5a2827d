package store

import "maps"

// Statements are the SQL texts of the store, by name. They are data: every one that touches tenants' rows names the
// tenant, whatever strategy stands behind it. Arguments are named, so a statement may be read on its own.
type Statements map[string]string

// Names of the statements.
const (
	DocumentCreate   = "document.create"
	DocumentGet      = "document.get"
	DocumentList     = "document.list"
	DocumentUpdate   = "document.update"
	DocumentDelete   = "document.delete"
	PreferencePut    = "preference.put"
	PreferenceGet    = "preference.get"
	PreferenceList   = "preference.list"
	PreferenceDelete = "preference.delete"
	AuditAppend      = "audit.append"
	AuditList        = "audit.list"
	UserCreate       = "user.create"
	UserGet          = "user.get"
)

const documentColumns = `id, slug, title, body, created_at, updated_at`

// DefaultStatements returns a fresh copy of the good statements.
func DefaultStatements() Statements {
	return maps.Clone(Statements{
		DocumentCreate: `insert into documents (tenant_id, id, slug, title, body)
			values (@tenant, @id, @slug, @title, @body) returning ` + documentColumns,
		DocumentGet: `select ` + documentColumns + ` from documents where tenant_id = @tenant and id::text = @id`,
		DocumentList: `select ` + documentColumns + `, count(*) over () from documents
			where tenant_id = @tenant and (@q = '' or title ilike @like or body ilike @like)
			order by created_at desc, id limit @limit`,
		DocumentUpdate: `update documents set slug = coalesce(@slug, slug), title = coalesce(@title, title),
			body = coalesce(@body, body), updated_at = now()
			where tenant_id = @tenant and id::text = @id returning ` + documentColumns,
		DocumentDelete: `delete from documents where tenant_id = @tenant and id::text = @id`,
		PreferencePut: `insert into preferences (tenant_id, name, value) values (@tenant, @name, @value)
			on conflict (tenant_id, name) do update set value = excluded.value`,
		PreferenceGet:    `select value from preferences where tenant_id = @tenant and name = @name`,
		PreferenceList:   `select name, value from preferences where tenant_id = @tenant order by name limit 500`,
		PreferenceDelete: `delete from preferences where tenant_id = @tenant and name = @name`,
		AuditAppend:      `insert into audit (tenant_id, actor, action, object) values (@tenant, @actor, @action, @object)`,
		AuditList: `select at, actor, action, object from audit where tenant_id = @tenant
			order by at desc, id desc limit @limit`,
		UserCreate: `insert into users (tenant_id, email, role, password_hash) values (@tenant, @email, @role, @hash)`,
		UserGet:    `select role, password_hash from users where tenant_id = @tenant and email = @email`,
	})
}

// schema is the same for all strategies: every table of tenants has a tenant_id, and it leads the primary key.
const schema = `
create table tenants (
	id uuid primary key, slug text not null, name text not null, tier text not null,
	status text not null check (status in ('PROVISIONING','ACTIVE','SUSPENDED','OFFBOARDING','DELETED')),
	created_at timestamptz not null default now(), deleted_at timestamptz);
create unique index tenants_live_slug on tenants (slug) where status <> 'DELETED';
create table users (
	tenant_id uuid not null references tenants (id), email text not null, role text not null,
	password_hash text not null, primary key (tenant_id, email));
create table documents (
	tenant_id uuid not null references tenants (id), id uuid not null, slug text not null, title text not null,
	body text not null, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
	primary key (tenant_id, id), unique (tenant_id, slug));
create table preferences (
	tenant_id uuid not null references tenants (id), name text not null, value text not null,
	primary key (tenant_id, name));
create table audit (
	tenant_id uuid not null references tenants (id), id bigint generated always as identity,
	at timestamptz not null default now(), actor text not null, action text not null, object text not null,
	primary key (tenant_id, id));
grant usage on schema public to partywall_app;
grant select, insert, update on tenants to partywall_app;
grant select, insert, update, delete on users, documents, preferences to partywall_app;
grant select, insert on audit to partywall_app;
`

// tenantTables are the tables whose rows belong to tenants, children first.
var tenantTables = [...]string{"audit", "preferences", "documents", "users"}
