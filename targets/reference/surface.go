package reference

import "github.com/partywall/partywall/harness"

// Surface of the reference service at a URL.
func Surface(url string) harness.Surface {
	document := harness.Body{Kind: "json", Value: map[string]any{"slug": "{slug}", "title": "{title}", "body": "{body}"}}
	batch := harness.Body{Kind: "json", Value: map[string]any{"ids": []any{"{id}"}}}
	preference := harness.Body{Kind: "json", Value: map[string]any{"value": "{value}"}}
	text := harness.Body{Kind: "json", Value: map[string]any{"text": "{text}"}}
	name := harness.Body{Kind: "json", Value: map[string]any{"name": "{name}"}}
	file := harness.Body{Kind: "raw", Raw: "{content}", Type: "application/octet-stream"}
	return harness.Surface{
		BaseURL: url,
		KeySet:  "/.well-known/jwks.json",
		Export: &harness.Resource{
			Name: "exports", ID: harness.Locator{Pointer: "/id"},
			Operations: []harness.Operation{
				{Verb: harness.Create, Method: "POST", Path: "/v1/exports"},
				{Verb: harness.Read, Method: "GET", Path: "/v1/exports/{id}", Success: harness.Success{Pointer: "/status", Equals: "done"}},
				{Verb: harness.Download, Method: "GET", Path: "/v1/exports/{id}/download"},
			},
		},
		Tiers: []harness.Tier{
			{Name: "free", Burst: 10, PerMinute: 60, PerDay: 1000},
			{Name: "test-small", Objects: map[string]int{"documents": 5}},
		},
		Resources: []harness.Resource{
			{
				Name: "documents", ID: harness.Locator{Pointer: "/id"},
				Fields: []harness.Field{{Name: "slug", Unique: true}, {Name: "title"}, {Name: "body"}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "POST", Path: "/v1/documents", Body: document},
					{Verb: harness.Read, Method: "GET", Path: "/v1/documents/{id}"},
					{Verb: harness.List, Method: "GET", Path: "/v1/documents", Query: map[string]string{"limit": "200"}},
					{Verb: harness.Search, Method: "GET", Path: "/v1/documents", Query: map[string]string{"limit": "200", "q": "{query}"}},
					{Verb: harness.Update, Method: "PUT", Path: "/v1/documents/{id}", Body: document},
					{Verb: harness.Patch, Method: "PATCH", Path: "/v1/documents/{id}", Body: harness.Body{Kind: "json", Value: map[string]any{"title": "{title}"}}},
					{Verb: harness.Delete, Method: "DELETE", Path: "/v1/documents/{id}"},
					{Verb: harness.Batch, Method: "POST", Path: "/v1/documents/bulk-delete", Body: batch},
					{Verb: harness.BatchRead, Method: "POST", Path: "/v1/documents/bulk-get", Body: batch},
					{Verb: harness.Copy, Method: "POST", Path: "/v1/documents/{id}/clone", Body: harness.Body{Kind: "json", Value: map[string]any{"slug": "{slug}"}}},
					{Verb: harness.Trash, Method: "GET", Path: "/v1/trash", Query: map[string]string{"limit": "200"}},
					{Verb: harness.Restore, Method: "POST", Path: "/v1/trash/{id}/restore"},
					{Verb: harness.Link, Method: "POST", Path: "/v1/documents/{id}/shares", Link: harness.Locator{Pointer: "/url"}, Grant: harness.Locator{Pointer: "/id"}, Body: harness.Body{
						Kind: "json", Value: map[string]any{"expires_in": 60},
					}},
					{Verb: harness.Open, Method: "GET", Path: "/{link}"},
					{Verb: harness.Revoke, Method: "DELETE", Path: "/v1/documents/{id}/shares/{grant}"},
					{Verb: harness.Follow, Method: "GET", Path: "/v1/events", Listen: 500},
				},
			},
			{
				Name: "preferences", Chosen: "ui/{unique}", Fields: []harness.Field{{Name: "value"}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "PUT", Path: "/v1/preferences/{id...}", Body: preference},
					{Verb: harness.Read, Method: "GET", Path: "/v1/preferences/{id...}"},
					{Verb: harness.List, Method: "GET", Path: "/v1/preferences"},
					{Verb: harness.Update, Method: "PUT", Path: "/v1/preferences/{id...}", Body: preference},
					{Verb: harness.Delete, Method: "DELETE", Path: "/v1/preferences/{id...}"},
				},
			},
			{
				Name: "files", Chosen: "reports/{unique}.txt", Fields: []harness.Field{{Name: "content"}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "PUT", Path: "/v1/files/{id...}", Body: file},
					{Verb: harness.Read, Method: "GET", Path: "/v1/files/{id...}"},
					{Verb: harness.List, Method: "GET", Path: "/v1/files", Query: map[string]string{"limit": "200"}},
					{Verb: harness.Update, Method: "PUT", Path: "/v1/files/{id...}", Body: file},
					{Verb: harness.Delete, Method: "DELETE", Path: "/v1/files/{id...}"},
					{Verb: harness.Link, Method: "POST", Path: "/v1/links", Link: harness.Locator{Pointer: "/url"}, Body: harness.Body{
						Kind: "json", Value: map[string]any{"path": "{id}", "method": "GET", "expires_in": 60},
					}},
					{Verb: harness.Open, Method: "GET", Path: "/{link}"},
				},
			},
			{
				Name: "categories", ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "name", Unique: true}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "POST", Path: "/v1/categories", Body: name},
					{Verb: harness.Read, Method: "GET", Path: "/v1/categories/{id}"},
					{Verb: harness.List, Method: "GET", Path: "/v1/categories"},
					{Verb: harness.Update, Method: "PUT", Path: "/v1/categories/{id}", Body: name},
					{Verb: harness.Delete, Method: "DELETE", Path: "/v1/categories/{id}"},
				},
			},
			{
				Name: "projects", ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "slug", Unique: true}, {Name: "name"}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "POST", Path: "/v1/projects", Body: harness.Body{
						Kind: "json", Value: map[string]any{"slug": "{slug}", "name": "{name}"},
					}},
					{Verb: harness.Read, Method: "GET", Path: "/v1/projects/{id}"},
					{Verb: harness.List, Method: "GET", Path: "/v1/projects", Query: map[string]string{"limit": "200"}},
					{Verb: harness.Update, Method: "PUT", Path: "/v1/projects/{id}", Body: name},
					{Verb: harness.Delete, Method: "DELETE", Path: "/v1/projects/{id}"},
				},
			},
			{
				Name: "notes", Parents: []string{"projects"}, ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "text"}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "POST", Path: "/v1/projects/{projects}/notes", Body: text},
					{Verb: harness.Read, Method: "GET", Path: "/v1/projects/{projects}/notes/{id}"},
					{Verb: harness.List, Method: "GET", Path: "/v1/projects/{projects}/notes", Query: map[string]string{"limit": "200"}},
					{Verb: harness.Update, Method: "PUT", Path: "/v1/projects/{projects}/notes/{id}", Body: text},
					{Verb: harness.Delete, Method: "DELETE", Path: "/v1/projects/{projects}/notes/{id}"},
				},
			},
			{
				Name: "comments", Parents: []string{"documents"}, ID: harness.Locator{Pointer: "/id"}, Fields: []harness.Field{{Name: "text"}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "POST", Path: "/v1/documents/{documents}/comments", Body: text},
					{Verb: harness.Read, Method: "GET", Path: "/v1/documents/{documents}/comments/{id}"},
					{Verb: harness.List, Method: "GET", Path: "/v1/documents/{documents}/comments", Query: map[string]string{"limit": "200"}},
					{Verb: harness.Delete, Method: "DELETE", Path: "/v1/documents/{documents}/comments/{id}"},
				},
			},
			{
				Name: "invoices", ID: harness.Locator{Pointer: "/id"},
				Fields: []harness.Field{{Name: "customer"}},
				Operations: []harness.Operation{
					{Verb: harness.Create, Method: "POST", Path: "/v1/invoices", Body: harness.Body{
						Kind: "json", Value: map[string]any{"customer": "{customer}", "amount_cents": 4200},
					}},
					{Verb: harness.Read, Method: "GET", Path: "/v1/invoices/{id}"},
					{Verb: harness.List, Method: "GET", Path: "/v1/invoices", Query: map[string]string{"limit": "200"}},
				},
			},
			{
				Name: "audit", Trail: true,
				Operations: []harness.Operation{
					{Verb: harness.List, Method: "GET", Path: "/v1/audit", Query: map[string]string{"limit": "200"}},
				},
			},
		},
	}
}

// stored adds what the object store hands out itself.
func stored(s harness.Surface, host string) harness.Surface {
	s.Hosts = append(s.Hosts, host)
	s.Tiers = append(s.Tiers, harness.Tier{Name: "test-plain", Stored: true})
	s.Stored = &harness.Resource{
		Name: "stored", Chosen: "reports/{unique}.txt", Fields: []harness.Field{{Name: "content"}},
		Operations: []harness.Operation{
			{Verb: harness.Create, Method: "PUT", Path: "/v1/files/{id...}", Body: harness.Body{Kind: "raw", Raw: "{content}", Type: "application/octet-stream"}},
			{Verb: harness.Read, Method: "GET", Path: "/v1/files/{id...}"},
			{Verb: harness.Delete, Method: "DELETE", Path: "/v1/files/{id...}"},
			{Verb: harness.Link, Method: "POST", Path: "/v1/links", Link: harness.Locator{Pointer: "/url"}, Body: harness.Body{
				Kind: "json", Value: map[string]any{"path": "{id}", "method": "GET", "expires_in": 60, "store": true},
			}},
		},
	}
	return s
}
