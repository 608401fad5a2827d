package api

import (
	"net/http"

	"github.com/partywall/partywall/reference/openapi"
)

// Secrets of examples: a client puts in what it was given.
const (
	ExampleRefresh    = "the-refresh-token"
	ExampleInvitation = "the-invitation-token"
)

// accountOperations are those of who may do what: sessions, members, invitations, shares, overrides.
func accountOperations() map[string]openapi.Operation {
	text, role := openapi.String(), openapi.Enum("admin", "member")
	member, share, key := openapi.Ref("Member"), openapi.Ref("Share"), openapi.Ref("APIKey")
	scope := openapi.Schema{"type": "string", "pattern": scopeForm.String(), "description": "What it may do: resources with a right each."}
	return map[string]openapi.Operation{
		"POST /v1/token/refresh": {
			Does: "Spend a refresh token for new tokens", Takes: openapi.Object("refresh_token", text), Example: members{"refresh_token": ExampleRefresh},
			Gives: openapi.Ref("Tokens"), Also: []int{401, 429, 503},
		},
		"POST /v1/logout":                     {Does: "End the session with all its tokens", Status: http.StatusNoContent},
		"DELETE /v1/members/{email}/sessions": {Does: "End all sessions of a member", Status: http.StatusNoContent},
		"DELETE /v1/sessions":                 {Does: "End all sessions of the tenant, this one included", Status: http.StatusNoContent},
		"DELETE /admin/tenants/{id}/sessions": {Does: "End all sessions of a tenant", Status: http.StatusNoContent, Also: []int{403}},

		"GET /v1/members": {Does: "List the members", Query: []string{"limit"}, Gives: openapi.Page(member)},
		"PATCH /v1/members/{email}": {
			Does: "Give a member another role", Takes: openapi.Object("role", role), Example: members{"role": "admin"}, Gives: member, Also: []int{409},
		},
		"DELETE /v1/members/{email}": {Does: "Remove a member", Status: http.StatusNoContent, Also: []int{409}},

		"POST /v1/invitations": {
			Does: "Invite somebody", Takes: openapi.Object("email", openapi.Email(), "role", role),
			Example: members{"email": "carol@example.com", "role": "member"}, Status: http.StatusCreated, Gives: openapi.Ref("NewInvitation"), Also: []int{409},
		},
		"GET /v1/invitations": {Does: "List the invitations", Query: []string{"limit"}, Gives: openapi.Page(openapi.Ref("Invitation"))},
		"POST /v1/invitations/{id}/resend": {
			Does: "Give an invitation a new token, which takes the place of the old one", Gives: openapi.Ref("NewInvitation"), Also: []int{409},
		},
		"DELETE /v1/invitations/{id}": {Does: "Withdraw an invitation", Status: http.StatusNoContent},
		"POST /v1/invitations/accept": {
			Does:    "Accept an invitation",
			Takes:   openapi.Object("token", text, "password", openapi.Schema{"type": "string", "minLength": 12, "maxLength": 72}),
			Example: members{"token": ExampleInvitation, "password": "..."}, Status: http.StatusCreated, Gives: member, Also: []int{404, 409, 429, 503},
		},

		"POST /v1/documents/{document}/shares": {
			Does: "Share a document by a link", Takes: openapi.Object("expires_in", openapi.Integer(1, int64(MaxShare.Seconds()))),
			Example: members{"expires_in": 3600}, Status: http.StatusCreated, Gives: openapi.Ref("NewShare"),
		},
		"GET /v1/documents/{document}/shares":         {Does: "List the links to a document", Query: []string{"limit"}, Gives: openapi.Page(share)},
		"DELETE /v1/documents/{document}/shares/{id}": {Does: "Withdraw a link", Status: http.StatusNoContent},
		"GET /v1/shared/{token}":                      {Does: "Read what a link shares", Gives: openapi.Object("title", text, "body", text)},

		"POST /v1/apikeys": {
			Does: "Make an API key, for a program", Takes: openapi.Object("name", openapi.Text(200), "scope", scope,
				"expires_in", openapi.Integer(1, int64(MaxKeyLifetime.Seconds()))),
			Example: members{"name": "nightly import", "scope": "documents:read documents:write", "expires_in": 86400},
			Status:  http.StatusCreated, Gives: openapi.Ref("NewAPIKey"), Also: []int{409},
		},
		"GET /v1/apikeys":      {Does: "List the API keys, newest first", Query: []string{"limit"}, Gives: openapi.Page(key)},
		"GET /v1/apikeys/{id}": {Does: "Read what is known of an API key", Gives: key},
		"POST /v1/apikeys/{id}/rotate": {
			Does:    "Give an API key a successor; the old one is good for the overlap, in seconds",
			Takes:   openapi.Object("overlap", openapi.Integer(0, int64(MaxKeyOverlap.Seconds()))),
			Example: members{"overlap": 3600}, Status: http.StatusCreated, Gives: openapi.Ref("NewAPIKey"),
		},
		"DELETE /v1/apikeys/{id}": {Does: "Revoke an API key, at once", Status: http.StatusNoContent},

		"GET /v1/overrides": {
			Does: "List the operators who are let in at the moment", Query: []string{"limit"}, Gives: openapi.Page(openapi.Ref("Override")),
		},
		"POST /admin/tenants/{id}/override": {
			Does:    "Be let in to read as a tenant, on its record",
			Takes:   openapi.Object("reason", openapi.Text(500), "minutes", openapi.Integer(1, int64(MaxOverride.Minutes()))),
			Example: members{"reason": "ticket 4711", "minutes": 15}, Status: http.StatusCreated,
			Gives: openapi.Object("id", openapi.ID(), "token", text, "expires_at", openapi.Time()), Also: []int{403},
		},
		"DELETE /admin/tenants/{id}/override/{override}": {Does: "End an override", Status: http.StatusNoContent, Also: []int{403}},
	}
}

// outboundOperations are those of what the service sends and makes by itself: events, exports, webhooks.
func outboundOperations() map[string]openapi.Operation {
	export, hook := openapi.Ref("Export"), openapi.Ref("Webhook")
	return map[string]openapi.Operation{
		"GET /v1/events": {
			Does: "Follow what happens, as server-sent events", Header: []string{"Last-Event-ID"}, Type: "text/event-stream",
			Gives: openapi.Schema{"type": "string", "description": "Events with their ids, and comments as heartbeats."}, Also: []int{400},
		},
		"GET /v1/ws": {
			Does: "Follow one kind of objects over a WebSocket", Query: []string{"topic", "after"}, Status: http.StatusSwitchingProtocols, Also: []int{404, 426},
		},

		"POST /v1/exports":     {Does: "Ask for an export of all that the tenant has", Once: true, Status: http.StatusAccepted, Gives: export},
		"GET /v1/exports":      {Does: "List the exports, newest first", Query: []string{"limit", "cursor"}, Gives: openapi.Page(export)},
		"GET /v1/exports/{id}": {Does: "Read how an export stands", Gives: export},
		"GET /v1/exports/{id}/download": {
			Does: "Download an export, a ZIP archive", Type: "application/octet-stream",
			Gives: openapi.Schema{"type": "string", "description": "The bytes of the archive."}, Also: []int{409},
		},

		"GET /v1/jobs/dead": {
			Does: "List the jobs that were given up, the last one first", Query: []string{"limit"},
			Gives: openapi.Page(openapi.Object("id", openapi.String(), "kind", openapi.String(), "object", openapi.String(), "user", openapi.String(),
				"queued_at", openapi.Time(), "failed_at", openapi.Time(), "tries", openapi.Count(), "reason", openapi.String())),
		},

		"POST /v1/webhooks": {
			Does:    "Have a URL told of what happens to one kind of objects",
			Takes:   openapi.Object("url", openapi.URL(2000), "event", openapi.String()),
			Example: members{"url": "https://example.com/hook", "event": "documents"}, Status: http.StatusCreated,
			Gives: openapi.Ref("NewWebhook"), Also: []int{409},
		},
		"GET /v1/webhooks":            {Does: "List the webhooks", Gives: openapi.Page(hook)},
		"GET /v1/webhooks/{id}":       {Does: "Read a webhook", Gives: hook},
		"POST /v1/webhooks/{id}/ping": {Does: "Deliver a test event now", Gives: openapi.Ref("Delivery")},
		"DELETE /v1/webhooks/{id}":    {Does: "Delete a webhook", Status: http.StatusNoContent},
	}
}
