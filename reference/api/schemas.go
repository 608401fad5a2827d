package api

import "github.com/partywall/partywall/reference/openapi"

// schemas of what the service answers with, by the names that operations refer to.
func schemas() map[string]openapi.Schema {
	id, time, text, count := openapi.ID(), openapi.Time(), openapi.String(), openapi.Count()
	document := []any{
		"id", id, "slug", text, "title", text, "body", text, "category_id", openapi.OrNull(id), "version", openapi.Integer(1, 1<<31-1),
		"created_at", time, "updated_at", time,
	}
	role := openapi.Enum("admin", "member")
	invitation := []any{"id", id, "email", text, "role", role, "invited_by", text, "created_at", time, "expires_at", time}
	share := []any{"id", id, "document_id", id, "shared_by", text, "created_at", time, "expires_at", time}
	hook := []any{"id", id, "url", text, "event", text, "created_at", time}
	key := []any{"id", id, "name", text, "scope", text, "created_by", text, "created_at", time, "expires_at", time}
	return map[string]openapi.Schema{
		"APIKey":        openapi.Object(key...),
		"NewAPIKey":     openapi.Object(append(key, "key", text, "signing_secret", text)...),
		"Tokens":        openapi.Object("token", text, "expires_in", count, "refresh_token", text),
		"Member":        openapi.Object("email", text, "role", role),
		"Invitation":    openapi.Object(invitation...),
		"NewInvitation": openapi.Object(append(invitation, "token", text)...),
		"Share":         openapi.Object(share...),
		"NewShare":      openapi.Object(append(share, "token", text, "url", text)...),
		"Override":      openapi.Object("id", id, "operator", text, "reason", text, "expires_at", time),
		"Export": openapi.Object("id", id, "status", openapi.Enum("queued", "running", "done", "failed"), "requested_by", text, "size", count,
			"created_at", time, "finished_at", openapi.OrNull(time)),
		"Webhook":    openapi.Object(hook...),
		"NewWebhook": openapi.Object(append(hook, "secret", text)...),
		"Delivery":   openapi.Object("delivered", openapi.Schema{"type": "boolean"}, "status?", openapi.Integer(100, 599), "reason?", text),

		"Document":   openapi.Object(document...),
		"Trashed":    openapi.Object(append(document, "deleted_at", time)...),
		"Comment":    openapi.Object("id", id, "document_id", id, "author", text, "text", text, "created_at", time),
		"Category":   openapi.Object("id", id, "name", text),
		"Project":    openapi.Object("id", id, "slug", text, "name", text, "created_at", time),
		"Note":       openapi.Object("id", id, "project_id", id, "text", text, "created_at", time),
		"Invoice":    openapi.Object("id", id, "number", openapi.Integer(1, 1<<53), "customer", text, "amount_cents", count, "created_at", time),
		"Preference": openapi.Object("name", text, "value", text),
		"File":       openapi.Object("path", text, "size", count),
		"Entry": openapi.Object("seq", openapi.Integer(1, 1<<53), "at", time, "actor", text, "action", text, "object", text,
			"outcome", openapi.Enum("done", "refused"), "ip", text, "agent", text, "request", text),
	}
}

// documentInputs are the members that a client writes, all of them or, in a patch, some.
func documentInputs(all bool) openapi.Schema {
	category := openapi.OrNull(openapi.Text(100))
	category["minLength"], category["description"] = 0, "Empty takes the document out of its category."
	if all {
		return openapi.Object("slug", openapi.Text(200), "title", openapi.Text(500), "body", openapi.Text(100_000), "category_id?", category)
	}
	return openapi.Object("slug?", openapi.Text(200), "title?", openapi.Text(500), "body?", openapi.Text(100_000), "category_id?", category)
}

// short is a body that is one text.
func short(name string, limit int) openapi.Schema { return openapi.Object(name, openapi.Text(limit)) }
