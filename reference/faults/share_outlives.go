package faults

import (
	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

func shareOutlives() Fault {
	return Fault{
		ID: "share-outlives", Mistake: "A share that is taken back is marked for whoever lists it, and opens the document as before.",
		Refs: Refs{
			CheatSheet: "Use signed URLs with tenant context embedded.", CWE: []int{613, 672}, Bugs: []string{"OpenTranscribe #907"},
		},
		Scenarios:   []string{"grant/revoked-link"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			p.DB.Statements[store.ShareDelete] = `update shares h set shared_by = 'nobody' from documents d
				where d.tenant_id = @tenant::uuid and d.id = @document::uuid and d.deleted_at is null
					and h.tenant_id = @tenant::uuid and h.document_id = d.id and h.id = @uuid::uuid`
		},
	}
}
