package faults

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

func exportDownloadByID() Fault {
	return Fault{
		ID: "export-download-by-id", Mistake: "A download looks up by the id alone whose export it is, and reads it as that tenant.",
		Refs:        Refs{CheatSheet: "Implement data export for tenant portability.", CWE: []int{639}},
		Scenarios:   []string{"jobs/foreign-export"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			owners := &owners{Exports: p.API.Exports}
			p.API.Exports = owners
			believing(p, func(r *http.Request) string {
				id, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/download"), "/v1/exports/")
				owner, known := owners.of.Load(id)
				if !ok || !known {
					return ""
				}
				return owner.(string)
			})
		},
	}
}

// owners remembers whose each export is.
type owners struct {
	store.Exports
	of sync.Map
}

func (o *owners) Create(ctx context.Context) (store.Export, error) {
	made, err := o.Exports.Create(ctx)
	if id, known := tenant.From(ctx); err == nil && known == nil {
		o.of.Store(made.ID, string(id.Tenant))
	}
	return made, err
}
