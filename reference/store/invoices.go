package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Invoice of a tenant. Its number counts the tenant's own invoices, from 1 and without gaps: it says nothing of what
// others do.
type Invoice struct {
	ID          string    `json:"id"`
	Number      int64     `json:"number"`
	Customer    string    `json:"customer"`
	AmountCents int64     `json:"amount_cents"`
	CreatedAt   time.Time `json:"created_at"`
}

// Totals of all invoices of a tenant.
type Totals struct {
	Count       int64 `json:"count"`
	AmountCents int64 `json:"amount_cents"`
}

// Invoices of the tenant in the context, under the same rules as Documents. They are never changed.
type Invoices interface {
	Create(ctx context.Context, customer string, amountCents int64) (Invoice, error)
	Get(ctx context.Context, id string) (Invoice, error)
	List(ctx context.Context, p Page) ([]Invoice, error)
	Totals(ctx context.Context) (Totals, error)
}

// Names of the statements of invoices.
const (
	InvoiceCreate = "invoice.create"
	InvoiceGet    = "invoice.get"
	InvoiceList   = "invoice.list"
	InvoiceTotals = "invoice.totals"
)

const invoiceColumns = `id, number, customer, amount_cents, created_at`

// countersTable counts per tenant. A sequence of the database would count for all of them together, and leave gaps that tell of
// the others.
func countersTable() table {
	return table{
		name: "counters", moved: "name, value", order: "name",
		definition: `name text not null, value bigint not null, primary key (tenant_id, name)`,
	}
}

func invoicesTable() table {
	return table{
		name: "invoices", moved: invoiceColumns, order: "id",
		definition: `id uuid not null, number bigint not null, customer text not null, amount_cents bigint not null,
			created_at timestamptz not null default now(), primary key (tenant_id, id), unique (tenant_id, number)`,
	}
}

func invoiceStatements() Statements {
	return Statements{
		InvoiceCreate: `with next as (
				insert into counters as c (tenant_id, name, value) values (@tenant::uuid, 'invoice', 1)
				on conflict (tenant_id, name) do update set value = c.value + 1 returning value)
			insert into invoices (tenant_id, id, number, customer, amount_cents)
			select @tenant::uuid, @id::uuid, value, @customer, @amount from next returning ` + invoiceColumns,
		InvoiceGet: `select ` + invoiceColumns + ` from invoices where tenant_id = @tenant::uuid and id = @uuid::uuid`,
		InvoiceList: `select ` + invoiceColumns + ` from invoices where tenant_id = @tenant::uuid
				and (@after_at::timestamptz is null or (created_at, id) < (@after_at::timestamptz, @after_id::uuid))
			order by created_at desc, id desc limit @limit`,
		InvoiceTotals: `select count(*) as count, coalesce(sum(amount_cents), 0)::bigint as amount_cents from invoices
			where tenant_id = @tenant::uuid`,
	}
}

type invoices struct{ db *DB }

// NewInvoices keeps invoices in Postgres.
func NewInvoices(db *DB) Invoices { return invoices{db} }

func (i invoices) Create(ctx context.Context, customer string, amountCents int64) (Invoice, error) {
	return one[Invoice](ctx, i.db, InvoiceCreate, pgx.NamedArgs{"id": uuid.NewString(), "customer": customer, "amount": amountCents})
}

func (i invoices) Get(ctx context.Context, id string) (Invoice, error) {
	return one[Invoice](ctx, i.db, InvoiceGet, byID(id))
}

func (i invoices) List(ctx context.Context, p Page) ([]Invoice, error) {
	return many[Invoice](ctx, i.db, InvoiceList, p.args())
}

func (i invoices) Totals(ctx context.Context) (Totals, error) {
	return one[Totals](ctx, i.db, InvoiceTotals, pgx.NamedArgs{})
}
