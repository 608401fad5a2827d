package faults

import (
	"net/http"
	"strings"

	"github.com/partywall/partywall/reference"
)

// ownerOf looks up whose a document is, in tables that all tenants share. Nobody's is "".
func ownerOf(p *reference.Parts, r *http.Request, prefix string) (owner string) {
	id, ok := strings.CutPrefix(r.URL.Path, prefix)
	if !ok {
		return ""
	}
	const query = `select tenant_id::text from documents where id::text = $1 and deleted_at is null`
	if p.Service.Owner.QueryRow(r.Context(), query, id).Scan(&owner) != nil {
		return ""
	}
	return owner
}
