package faults

import (
	"context"
	"errors"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func exists403() Fault {
	return Fault{
		ID: "exists-403", Mistake: "A foreign document answers 403, an unknown one 404.",
		Refs: Refs{
			CheatSheet: "Don't reveal if it exists for other tenant", CWE: []int{204}, Bugs: []string{"open-mercato #1428"},
		},
		Scenarios:  []string{"oracle/existence"},
		Strategies: []string{"row", "rls"}, // what it does needs tables that all share
		Walls:      []Wall{rowSecurity},
		Plant: func(p *reference.Parts) {
			p.API.Documents = tellingDocuments{p.API.Documents, p.DB}
		},
	}
}

type tellingDocuments struct {
	store.Documents
	db *store.DB
}

func (d tellingDocuments) Get(ctx context.Context, id string) (store.Document, error) {
	doc, err := d.Documents.Get(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return doc, err
	}
	exists := false
	if err := d.db.Pool.QueryRow(ctx, `select exists (select from documents where id::text = $1)`, id).Scan(&exists); err != nil {
		return doc, err
	}
	if exists {
		return doc, store.ErrForbidden
	}
	return doc, store.ErrNotFound
}
