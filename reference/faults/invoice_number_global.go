package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func invoiceNumberGlobal() Fault {
	return Fault{
		ID: "invoice-number-global", Mistake: "Invoices are numbered by a sequence of the database.",
		Refs:       Refs{CheatSheet: "Avoid exposing sequential or guessable IDs.", CWE: []int{340, 200}},
		Scenarios:  []string{"oracle/activity"},
		Strategies: []string{"row", "rls"}, // it needs a sequence that all share
		Plant: func(p *reference.Parts) {
			p.OwnerSQL = append(p.OwnerSQL, `create sequence invoice_number; grant usage on sequence invoice_number to partywall_app`)
			p.DB.Statements[store.InvoiceCreate] = `insert into invoices (tenant_id, id, number, customer, amount_cents)
				values (@tenant::uuid, @id::uuid, nextval('invoice_number'), @customer, @amount) returning id, number, customer, amount_cents, created_at`
		},
	}
}
