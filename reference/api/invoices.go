package api

import (
	"fmt"
	"net/http"

	"github.com/partywall/partywall/reference/store"
)

func (a *api) invoiceRoutes() []route {
	return []route{
		tenants("POST /v1/invoices", a.once(a.createInvoice)),
		tenants("GET /v1/invoices", a.listInvoices),
		tenants("GET /v1/invoices/totals", a.fairly(a.totalInvoices)),
		tenants("GET /v1/invoices/{id}", a.readInvoice),
	}
}

// maxAmount keeps sums far from overflowing.
const maxAmount = 1_000_000_000_00

func (a *api) createInvoice(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Customer *string `json:"customer"`
		Amount   *int64  `json:"amount_cents"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := check(true, field{"customer", in.Customer, 200}); err != nil {
		return err
	}
	if in.Amount == nil || *in.Amount < 0 || *in.Amount > maxAmount {
		return fmt.Errorf("%w: amount_cents is a whole number from 0 to %d", ErrInput, int64(maxAmount))
	}
	invoice, err := a.Invoices.Create(r.Context(), *in.Customer, *in.Amount)
	if err != nil {
		return err
	}
	return a.made(w, r, "invoice.create", invoice.ID, invoice)
}

func (a *api) listInvoices(w http.ResponseWriter, r *http.Request) error {
	return listPaged(a, w, r, a.Invoices.List, func(x store.Invoice) store.Position { return store.Position{At: x.CreatedAt, ID: x.ID} })
}

func (a *api) totalInvoices(w http.ResponseWriter, r *http.Request) error {
	totals, err := a.Invoices.Totals(r.Context())
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, totals)
}

func (a *api) readInvoice(w http.ResponseWriter, r *http.Request) error {
	return show(w, r, a.Invoices.Get)
}
