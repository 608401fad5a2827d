package api

import (
	"net/http"

	"github.com/partywall/partywall/reference/openapi"
	"github.com/partywall/partywall/reference/signing"
)

// A member of an example.
type members = map[string]any

func serviceOperations() map[string]openapi.Operation {
	text := openapi.String()
	role := openapi.Enum("admin", "member")
	tier := openapi.Schema{"type": "string", "description": "One of the tiers that the operator knows."}
	slug := openapi.Schema{"type": "string", "pattern": Slugs.String()}
	users := openapi.Array(openapi.Object("email", openapi.Text(320), "role", role))
	users["minItems"], users["maxItems"] = 1, 100
	return map[string]openapi.Operation{
		"GET /openapi.json": {Does: "Read this document", Gives: openapi.Schema{"type": "object"}},
		"GET /healthz":      {Does: "Ask whether the service runs", Gives: openapi.Object("status", openapi.Enum("ok"))},
		"GET /health/live":  {Does: "Ask whether the process runs", Gives: openapi.Object("status", openapi.Enum("ok"))},
		"GET /health/ready": {
			Does:  "Ask which engines behind the service can be reached",
			Gives: openapi.Object("status", openapi.Enum("ok"), "engines", openapi.Schema{"type": "object", "additionalProperties": openapi.Enum("ok")}),
			Also:  []int{503},
		},
		"GET /metrics": {Does: "Read what was counted, for Prometheus", Type: "text/plain", Gives: text, Also: []int{404}},
		"GET /.well-known/jwks.json": {
			Does: "Read the keys that sign tokens (RFC 7517)", Type: "application/jwk-set+json",
			Gives: openapi.Object("keys", openapi.Array(openapi.Object("kty", text, "crv", text, "use", text, "alg", text, "kid", text, "x", text))),
		},
		"POST /v1/login": {
			Does: "Log in", Takes: openapi.Object("tenant", slug, "email", openapi.Text(320), "password", openapi.Text(72)),
			Example: members{"tenant": "acme", "email": "alice@example.com", "password": "..."},
			Gives:   openapi.Ref("Tokens"), Also: []int{401, 403, 503},
		},
		"GET /v1/whoami": {Does: "Read who the credential is for", Gives: openapi.Object("tenant", openapi.ID(), "slug", text, "user", text, "role", text)},
		"GET /v1/audit": {
			Does: "List what was done and what was refused, newest first", Query: []string{"from", "to", "limit", "cursor"}, Gives: openapi.Page(openapi.Ref("Entry")),
		},
		"GET /v1/audit/verified": {
			Does: "Go through the trail and tell whether it is whole",
			Gives: openapi.Object("intact", openapi.Schema{"type": "boolean"}, "entries", openapi.Count(), "first", openapi.Count(),
				"last", openapi.Count(), "head", text, "broken?", openapi.Integer(1, 1<<53), "reason?", text),
		},
		"POST /admin/tenants": {
			Does: "Admit a tenant", Status: http.StatusCreated,
			Takes:   openapi.Object("slug", slug, "name?", openapi.Schema{"type": "string", "maxLength": 200}, "tier?", tier, "users", users),
			Example: members{"slug": "globex", "tier": "free", "users": []any{members{"email": "alice@example.com", "role": "admin"}}},
			Gives: openapi.Object("id", openapi.ID(), "slug", text, "users",
				openapi.Array(openapi.Object("email", text, "role", role, "password", text))),
			Also: []int{409},
		},
		"PUT /admin/tenants/{id}/tier": {
			Does: "Move a tenant to another tier", Takes: openapi.Object("tier", tier), Example: members{"tier": "starter"}, Status: http.StatusNoContent,
			Also: []int{409},
		},
	}
}

// lifeOperations are those of the lives of tenants.
func lifeOperations() map[string]openapi.Operation {
	text := openapi.String()
	states := openapi.Enum("PROVISIONING", "ACTIVE", "SUSPENDED", "OFFBOARDING", "DELETED")
	stands := openapi.Object("id", openapi.ID(), "slug", text, "name", text, "tier", text, "moving_to", text, "status", states,
		"delete_after", openapi.OrNull(openapi.Time()))
	return map[string]openapi.Operation{
		"GET /admin/tenants/{id}":          {Does: "Read how a tenant stands", Gives: stands},
		"POST /admin/tenants/{id}/suspend": {Does: "Close a tenant until it is resumed", Status: http.StatusNoContent, Also: []int{409}},
		"POST /admin/tenants/{id}/resume":  {Does: "Open a suspended tenant", Status: http.StatusNoContent, Also: []int{409}},
		"POST /admin/tenants/{id}/offboard": {
			Does:  "Close a tenant for good, archive what it has, and delete it after some days",
			Takes: openapi.Object("retain_days?", openapi.Integer(0, MaxRetention)), Example: members{"retain_days": 30}, Gives: stands, Also: []int{409},
		},
		"DELETE /admin/tenants/{id}/offboard": {
			Does: "Call an offboarding off; the tenant is suspended then", Status: http.StatusNoContent, Also: []int{409},
		},
		"GET /admin/tenants/{id}/archive": {
			Does: "Download what an offboarded tenant had, a ZIP archive", Type: "application/octet-stream",
			Gives: openapi.Schema{"type": "string", "description": "The bytes of the archive."},
		},
		"GET /admin/tenants/{id}/history": {
			Does: "Read the life of a tenant", Gives: openapi.Page(openapi.Object("at", openapi.Time(), "step", text, "operator", text)),
		},
		"DELETE /admin/tenants/{id}": {Does: "Delete a tenant and all that it has", Status: http.StatusNoContent, Also: []int{409}},
	}
}

func documentOperations() map[string]openapi.Operation {
	one, conditional := openapi.Ref("Document"), []string{"If-Match"}
	ids := openapi.Array(openapi.String())
	ids["minItems"], ids["maxItems"] = 1, maxBulk
	whole := members{"slug": "roadmap", "title": "The plan", "body": "First, ...", "category_id": nil}
	found := openapi.Object("items", openapi.Array(one), "next", openapi.OrNull(openapi.String()), "total", openapi.Count())
	narrowed := []string{"limit", "cursor", "q", "category_id"}
	return map[string]openapi.Operation{
		"POST /v1/documents": {
			Does: "Create a document", Takes: documentInputs(true), Example: whole, Once: true, Status: http.StatusCreated, Gives: one,
		},
		"GET /v1/documents":      {Does: "List and search documents, newest first", Query: narrowed, Gives: found},
		"GET /v1/documents/{id}": {Does: "Read a document", Header: []string{"If-None-Match"}, Gives: one, Also: []int{304}},
		"PUT /v1/documents/{id}": {
			Does: "Replace a document", Takes: documentInputs(true), Example: whole, Header: conditional, Gives: one, Also: []int{409, 412, 422},
		},
		"PATCH /v1/documents/{id}": {
			Does: "Change some of a document", Takes: documentInputs(false), Example: members{"title": "A better plan"}, Header: conditional,
			Gives: one, Also: []int{409, 412, 422},
		},
		"DELETE /v1/documents/{id}": {
			Does: "Move a document to the trash", Header: conditional, Status: http.StatusNoContent, Also: []int{412},
		},
		"POST /v1/documents/{id}/clone": {
			Does: "Copy a document", Takes: short("slug", 200), Example: members{"slug": "roadmap-b"}, Once: true, Status: http.StatusCreated, Gives: one,
		},
		"POST /v1/documents/bulk-get": {
			Does: "Read some documents, all of them or none", Takes: openapi.Object("ids", ids), Example: members{"ids": []any{ExampleID}},
			Gives: openapi.Page(one), Also: []int{404},
		},
		"POST /v1/documents/bulk-delete": {
			Does: "Move some documents to the trash, all of them or none", Takes: openapi.Object("ids", ids), Example: members{"ids": []any{ExampleID}},
			Status: http.StatusNoContent, Also: []int{404},
		},
		"GET /v2/documents": {
			Does: "List and search documents, newest first", Query: narrowed,
			Gives: openapi.Object("data", openapi.Array(one), "page", openapi.Object("next", openapi.OrNull(openapi.String()))),
		},
		"GET /v2/documents/{id}": {
			Does: "Read a document", Header: []string{"If-None-Match"}, Gives: openapi.Object("data", one), Also: []int{304},
		},
		"GET /v1/trash":               {Does: "List the trash, newest first", Query: []string{"limit", "cursor"}, Gives: openapi.Page(openapi.Ref("Trashed"))},
		"POST /v1/trash/{id}/restore": {Does: "Take a document out of the trash", Gives: one, Also: []int{409}},
		"DELETE /v1/trash/{id}":       {Does: "Delete a document for good", Status: http.StatusNoContent},
	}
}

// objectOperations are those of objects that the service names.
func objectOperations() map[string]openapi.Operation {
	comment, category, project, note, invoice := openapi.Ref("Comment"), openapi.Ref("Category"), openapi.Ref("Project"), openapi.Ref("Note"),
		openapi.Ref("Invoice")
	pages := []string{"limit", "cursor"}
	return map[string]openapi.Operation{
		"POST /v1/documents/{document}/comments": {
			Does: "Comment on a document", Takes: short("text", 10_000), Example: members{"text": "Why?"}, Once: true, Status: http.StatusCreated, Gives: comment,
		},
		"GET /v1/documents/{document}/comments":         {Does: "List the comments on a document", Query: []string{"limit"}, Gives: openapi.Page(comment)},
		"GET /v1/documents/{document}/comments/{id}":    {Does: "Read a comment", Gives: comment},
		"DELETE /v1/documents/{document}/comments/{id}": {Does: "Delete a comment", Status: http.StatusNoContent},

		"POST /v1/categories": {
			Does: "Create a category", Takes: short("name", 200), Example: members{"name": "Contracts"}, Once: true, Status: http.StatusCreated, Gives: category,
		},
		"GET /v1/categories":         {Does: "List the categories", Gives: openapi.Page(category)},
		"GET /v1/categories/{id}":    {Does: "Read a category", Gives: category},
		"PUT /v1/categories/{id}":    {Does: "Rename a category", Takes: short("name", 200), Example: members{"name": "Offers"}, Gives: category, Also: []int{409}},
		"DELETE /v1/categories/{id}": {Does: "Delete a category", Status: http.StatusNoContent},

		"POST /v1/projects": {
			Does: "Create a project", Takes: openapi.Object("slug", openapi.Text(200), "name", openapi.Text(200)),
			Example: members{"slug": "relaunch", "name": "The relaunch"}, Once: true, Status: http.StatusCreated, Gives: project,
		},
		"GET /v1/projects":         {Does: "List the projects, newest first", Query: pages, Gives: openapi.Page(project)},
		"GET /v1/projects/{id}":    {Does: "Read a project", Gives: project},
		"PUT /v1/projects/{id}":    {Does: "Rename a project", Takes: short("name", 200), Example: members{"name": "The second relaunch"}, Gives: project},
		"DELETE /v1/projects/{id}": {Does: "Delete a project with its notes", Status: http.StatusNoContent},

		"POST /v1/projects/{project}/notes": {
			Does: "Write a note", Takes: short("text", 10_000), Example: members{"text": "Call Bob."}, Once: true, Status: http.StatusCreated, Gives: note,
		},
		"GET /v1/projects/{project}/notes":      {Does: "List the notes of a project, newest first", Query: pages, Gives: openapi.Page(note)},
		"GET /v1/projects/{project}/notes/{id}": {Does: "Read a note", Gives: note},
		"PUT /v1/projects/{project}/notes/{id}": {Does: "Rewrite a note", Takes: short("text", 10_000), Example: members{"text": "Call Eve."}, Gives: note},
		"POST /v1/projects/{project}/notes/{id}/move": {
			Does: "Move a note to another project", Takes: short("project_id", 100), Example: members{"project_id": ExampleParent}, Gives: note, Also: []int{422},
		},
		"DELETE /v1/projects/{project}/notes/{id}": {Does: "Delete a note", Status: http.StatusNoContent},

		"POST /v1/invoices": {
			Does: "Write an invoice", Takes: openapi.Object("customer", openapi.Text(200), "amount_cents", openapi.Integer(0, maxAmount)),
			Example: members{"customer": "Globex", "amount_cents": 4200}, Once: true, Status: http.StatusCreated, Gives: invoice,
		},
		"GET /v1/invoices":        {Does: "List the invoices, newest first", Query: pages, Gives: openapi.Page(invoice)},
		"GET /v1/invoices/{id}":   {Does: "Read an invoice", Gives: invoice},
		"GET /v1/invoices/totals": {Does: "Add up the invoices", Gives: openapi.Object("count", openapi.Count(), "amount_cents", openapi.Count())},
	}
}

// namedOperations are those of objects that the client names.
func namedOperations() map[string]openapi.Operation {
	preference := openapi.Ref("Preference")
	content := openapi.Schema{"type": "string", "description": "The bytes of the file."}
	return map[string]openapi.Operation{
		"GET /v1/preferences": {Does: "List the preferences", Gives: openapi.Object("items", openapi.Array(preference))},
		"PUT /v1/preferences/{name...}": {
			Does: "Set a preference", Takes: short("value", 10_000), Example: members{"value": "dark"}, Gives: preference,
		},
		"GET /v1/preferences/{name...}":    {Does: "Read a preference", Gives: preference},
		"DELETE /v1/preferences/{name...}": {Does: "Forget a preference", Status: http.StatusNoContent},

		"GET /v1/files":           {Does: "List the files", Query: []string{"limit"}, Gives: openapi.Object("items", openapi.Array(openapi.Ref("File")))},
		"PUT /v1/files/{path...}": {Does: "Write a file", Bytes: true, Status: http.StatusNoContent, Also: []int{400, 411, 413}},
		"GET /v1/files/{path...}": {
			Does: "Read a file", Query: []string{"version"}, Type: "application/octet-stream", Gives: content, Also: []int{400},
		},
		"DELETE /v1/files/{path...}": {Does: "Delete a file with all its versions", Status: http.StatusNoContent, Also: []int{400}},
		"POST /v1/links": {
			Does: "Make a link to read a file as it is now, or to write one", Takes: openapi.Object("path", openapi.String(),
				"method", openapi.Enum("GET", "PUT"), "expires_in", openapi.Integer(1, int64(signing.MaxLink.Seconds())), "once?", openapi.Schema{"type": "boolean"}, "store?", openapi.Schema{"type": "boolean"}),
			Example: members{"path": "reports/linked.txt", "method": "GET", "expires_in": 600}, Status: http.StatusCreated,
			Gives: openapi.Object("url", openapi.String(), "method", openapi.Enum("GET", "PUT"), "path", openapi.String(), "expires_at", openapi.Time()),
			Also:  []int{404, 409},
		},
		"GET /v1/links/{token}": {Does: "Read what a link is for", Type: "application/octet-stream", Gives: content},
		"PUT /v1/links/{token}": {Does: "Write what a link is for", Bytes: true, Status: http.StatusNoContent, Also: []int{400, 411, 413}},
		"GET /v1/file-versions/{path...}": {
			Does: "List the versions of a file, newest first", Query: []string{"limit"},
			Gives: openapi.Object("items", openapi.Array(openapi.Object("id", openapi.ID(), "size", openapi.Count(), "at", openapi.Time()))), Also: []int{400},
		},
	}
}
