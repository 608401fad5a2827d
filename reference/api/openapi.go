package api

import (
	"maps"
	"math"
	"net/http"
	"slices"

	"github.com/partywall/partywall/reference/openapi"
	"github.com/partywall/partywall/reference/signing"
)

//go:generate go test .. -run ^TestDocumentIsCommitted$ -args -update

func (a *api) openAPIRoutes() []route {
	return []route{public("GET /openapi.json", "it describes the service and holds nothing of a tenant", a.openAPI)}
}

func (a *api) openAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	send(w, a.described)
	return nil
}

// Examples of ids, as the document shows them.
const (
	ExampleID     = "3f0c6a52-8d0b-4b6e-9a3c-6d1f5b7e2c01" // of the object itself
	ExampleParent = "3f0c6a52-8d0b-4b6e-9a3c-6d1f5b7e2c02" // of the object that it stands under
)

const about = `A service for many tenants. A tenant is named by its token alone, and what belongs to another tenant is answered exactly as ` +
	`what does not exist.

A program sends an API key instead of a token, as X-API-Key or as Authorization: ApiKey, and reaches what the scope of the key allows; or ` +
	`it signs each request with the secret of the key: Authorization: ` + signing.Scheme + ` tenant=ID,key=ID,time=SECONDS,nonce=TEXT,signature=BASE64URL, where ` +
	`the signature is HMAC-SHA-256 of these lines: the scheme, the tenant's id, the key's id, the method, the path with its query, the ` +
	`SHA-256 of the body in hex, the time, the nonce. Such a request is good once, within five minutes, and has a body of at most 1 MiB.

Bodies are JSON in UTF-8 of at most 1 MiB, with the Content-Type application/json; a body without one is refused (415). Lengths ` +
	`count bytes, and no text holds NUL. A member that is unknown, there twice, or written in another case is refused.

Paths are taken as they are sent: one that is not clean ("//", "/../") names nothing. Every refusal is a problem (RFC 9457), but for a ` +
	`request that cannot be read at all or has more than 1 MiB of headers: the server closes that with a line of text.

A request that waits 10 seconds for an engine behind the service (2 minutes where files or whole tenants move) ends with 503. A ` +
	`client that takes longer to send or to receive is cut off.`

// Document says all about the service's face. What is said of a route stands beside it, in one of the lists below.
func Document() openapi.Document {
	d := openapi.Document{
		Title: "Partywall reference service", Version: "1", Description: about,
		Operations: map[string]openapi.Operation{}, Schemas: schemas(),
		Security: map[string]openapi.Schema{
			"tenant":   {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token from /v1/login."},
			"operator": {"type": "http", "scheme": "bearer", "description": "The operator's key, which no tenant has."},
		},
		Parameters: parameters(), Headers: answerHeaders(),
		Told: map[int][]string{http.StatusTooManyRequests: append([]string{"Retry-After"}, limitHeaders...), http.StatusServiceUnavailable: {"Retry-After"}},
		Problem: openapi.Object("title", openapi.String(), "status", openapi.Integer(400, 599),
			"detail?", openapi.String()),
		Statuses: map[int]string{
			400: "The request is not valid.", 401: "It is not known who asks.", 403: "The tenant is not active, a quota of its tier is used up, or the user's role does not allow it.",
			404: "The tenant has no such thing, whoever else has.", 409: "The tenant has one like it, or something else is on its way that must be done first.",
			411: "A Content-Length is required.", 412: "The object is not the version that If-Match asks for.", 413: "The body is too large.",
			415: "The body is not application/json.", 422: "It refers to what the tenant does not have, or its key was used for another request.",
			426: "It is to be followed over a WebSocket.",
			429: "The tenant sent too many requests; Retry-After says when the next will pass.",
			503: "An engine behind the service is away; Retry-After says when to try again.",
		},
	}
	for _, some := range []map[string]openapi.Operation{
		serviceOperations(), lifeOperations(), documentOperations(), objectOperations(), namedOperations(), accountOperations(), outboundOperations(),
	} {
		maps.Copy(d.Operations, some)
	}
	for _, r := range Routes() {
		d.Routes = append(d.Routes, described(r))
	}
	return d
}

// described says who may ask for a route, and with what every guard refuses.
func described(r Route) openapi.Route {
	out := openapi.Route{Pattern: r.Pattern}
	switch {
	case r.Guard == Operator:
		out.Security, out.Refuses = "operator", []int{401, 503}
	case r.Guard == Public:
		out.Note = "For everybody: " + r.Reason + "."
	case r.Guard == Visitors || r.Guard == Linkers:
		out.Note, out.Refuses = "For everybody: "+r.Reason+".", []int{429, 503}
	case r.Role != "":
		out.Note = "For users with the role " + r.Role + "."
		fallthrough
	default:
		out.Security, out.Refuses, out.Headers = "tenant", []int{401, 403, 429, 503}, limitHeaders
	}
	return out
}

// parameters of queries and headers, by the names that operations use.
func parameters() map[string]openapi.Schema {
	of := func(in, name, description string, schema openapi.Schema) openapi.Schema {
		return openapi.Schema{"in": in, "name": name, "description": description, "schema": schema}
	}
	limit := openapi.Integer(1, 200)
	limit["default"] = 50
	return map[string]openapi.Schema{
		"limit":         of("query", "limit", "How many there may be on a page.", limit),
		"cursor":        of("query", "cursor", "The next of the page before. It continues that list and no other.", openapi.Text(500)),
		"from":          of("query", "from", "The first moment that belongs to it.", openapi.Time()),
		"to":            of("query", "to", "The first moment that does not belong to it any more.", openapi.Time()),
		"q":             of("query", "q", "A text that title or body holds.", openapi.Text(200)),
		"category_id":   of("query", "category_id", "The category of the documents.", openapi.Text(100)),
		"version":       of("query", "version", "The id of a version of the file; without it, the newest.", openapi.Text(100)),
		"topic":         of("query", "topic", "The kind of objects to follow.", openapi.Enum(slices.Sorted(maps.Keys(topics))...)),
		"after":         of("query", "after", "The id of the last event that was received.", openapi.Text(100)),
		"Last-Event-ID": of("header", "Last-Event-ID", "The id of the last event that was received.", openapi.Text(100)),
		"If-Match":      of("header", "If-Match", "The ETag that the object must have.", openapi.String()),
		"If-None-Match": of("header", "If-None-Match", "The ETag that the client has already.", openapi.String()),
		"Idempotency-Key": of("header", "Idempotency-Key", "A second request of the user with the same key gets the answer of the first, for a day.",
			openapi.Text(200)),
	}
}

// limitHeaders are what answers behind the chain say, where the tier has limits.
var limitHeaders = []string{"RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}

func answerHeaders() map[string]openapi.Schema {
	of := func(description string, schema openapi.Schema) openapi.Schema {
		return openapi.Schema{"description": description, "schema": schema}
	}
	return map[string]openapi.Schema{
		"Retry-After":           of("In how many seconds the request would pass, if the tenant sent no other.", openapi.Integer(1, math.MaxInt32)),
		"RateLimit-Policy":      of("The limits of the tier: how many requests (q) in how many seconds (w). A tier without limits says nothing.", openapi.String()),
		"RateLimit":             of("Of each limit, how many requests are left (r), and in how many seconds there is one more (t).", openapi.String()),
		"X-RateLimit-Limit":     of("How many requests the tier has in a minute.", openapi.Count()),
		"X-RateLimit-Remaining": of("How many more requests would pass at once.", openapi.Count()),
		"X-RateLimit-Reset":     of("In how many seconds there is one more.", openapi.Count()),
	}
}
