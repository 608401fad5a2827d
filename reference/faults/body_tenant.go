package faults

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/partywall/partywall/reference"
)

func bodyTenant() Fault {
	return Fault{
		ID: "body-tenant", Mistake: "The binder fills a row from the body, its tenant_id included.",
		Refs: Refs{
			CheatSheet: "Never trust client-supplied tenant IDs without validation.", CWE: []int{915}, Bugs: []string{"GitHub mass assignment, 2012"},
		},
		Scenarios: []string{"context/body-tenant"},
		Plant: func(p *reference.Parts) {
			believing(p, func(r *http.Request) string {
				if !strings.HasPrefix(r.URL.Path, "/v1/documents") || r.Body == nil {
					return ""
				}
				data, err := io.ReadAll(io.LimitReader(r.Body, 2<<20))
				r.Body = io.NopCloser(bytes.NewReader(data))
				var members map[string]any
				if err != nil || json.Unmarshal(data, &members) != nil {
					return ""
				}
				named, _ := members["tenant_id"].(string)
				delete(members, "tenant_id")
				if data, err = json.Marshal(members); err == nil {
					r.Body = io.NopCloser(bytes.NewReader(data))
				}
				return named
			})
		},
	}
}
