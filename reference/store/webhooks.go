package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// Webhook is where a tenant wants to be told of events.
type Webhook struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Event     string    `json:"event"` // what it is told of
	Sealed    string    `json:"-"`     // the secret that deliveries are signed with, unreadable here
	CreatedAt time.Time `json:"created_at"`
}

// Webhooks of the tenant in the context, under the same rules as Documents.
type Webhooks interface {
	// Create keeps a webhook under an id that the caller drew; ErrFull when the tenant has twenty.
	Create(ctx context.Context, w Webhook) (Webhook, error)
	Get(ctx context.Context, id string) (Webhook, error)
	List(ctx context.Context) ([]Webhook, error)
	// For are the webhooks that are told of an event.
	For(ctx context.Context, event string) ([]Webhook, error)
	Delete(ctx context.Context, id string) error
}

// Names of the statements of webhooks.
const (
	WebhookCreate = "webhook.create"
	WebhookGet    = "webhook.get"
	WebhookList   = "webhook.list"
	WebhookFor    = "webhook.for"
	WebhookDelete = "webhook.delete"
)

const webhookColumns = `id, url, event, sealed, created_at`

func webhooksTable() table {
	return table{
		name: "webhooks", moved: webhookColumns, order: "id",
		definition: `id uuid not null, url text not null, event text not null, sealed text not null,
			created_at timestamptz not null default now(), primary key (tenant_id, id)`,
	}
}

func webhookStatements() Statements {
	const of = `select ` + webhookColumns + ` from webhooks where tenant_id = @tenant::uuid`
	return Statements{
		WebhookCreate: `insert into webhooks (tenant_id, id, url, event, sealed) select @tenant::uuid, @id::uuid, @url, @event, @sealed
			where (select count(*) from webhooks where tenant_id = @tenant::uuid) < 20 returning ` + webhookColumns,
		WebhookGet:    of + ` and id = @uuid::uuid`,
		WebhookList:   of + ` order by created_at, id`,
		WebhookFor:    of + ` and event = @event order by created_at, id`,
		WebhookDelete: `delete from webhooks where tenant_id = @tenant::uuid and id = @uuid::uuid`,
	}
}

type webhooks struct{ db *DB }

// NewWebhooks keeps webhooks in Postgres.
func NewWebhooks(db *DB) Webhooks { return webhooks{db} }

func (w webhooks) Create(ctx context.Context, hook Webhook) (Webhook, error) {
	made, err := one[Webhook](ctx, w.db, WebhookCreate, pgx.NamedArgs{"id": hook.ID, "url": hook.URL, "event": hook.Event, "sealed": hook.Sealed})
	if errors.Is(err, ErrNotFound) {
		err = ErrFull
	}
	return made, err
}

func (w webhooks) Get(ctx context.Context, id string) (Webhook, error) {
	return one[Webhook](ctx, w.db, WebhookGet, byID(id))
}

func (w webhooks) List(ctx context.Context) ([]Webhook, error) {
	return many[Webhook](ctx, w.db, WebhookList, pgx.NamedArgs{})
}

func (w webhooks) For(ctx context.Context, event string) ([]Webhook, error) {
	return many[Webhook](ctx, w.db, WebhookFor, pgx.NamedArgs{"event": event})
}

func (w webhooks) Delete(ctx context.Context, id string) error {
	return w.db.affected(ctx, WebhookDelete, byID(id))
}
