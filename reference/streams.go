package reference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference/api"
	"github.com/partywall/partywall/reference/events"
	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// announced tells the tenant's feed and webhooks of each change that its trail takes in. The change is made by then, and on
// record: where nobody can be told of it, it is made nevertheless, and those who follow miss an event.
type announced struct {
	store.Audit
	log   *slog.Logger
	feed  *events.Feed
	hooks store.Webhooks
	queue *jobs.Queue
	learn func(id tenant.ID, object string) // what is the tenant's, for the monitor
}

func (a announced) Append(ctx context.Context, action, object string) error {
	if err := a.Audit.Append(ctx, action, object); err != nil {
		return err
	}
	if id, err := tenant.From(ctx); err == nil && uuid.Validate(object) == nil {
		a.learn(id.Tenant, object)
	}
	told, cancel := context.WithTimeout(ctx, announceFor)
	defer cancel()
	if err := a.announce(told, action, object); err != nil {
		a.log.WarnContext(ctx, "a change was not announced", "action", action, "error", err)
	}
	return nil
}

// announceFor is how long a change waits until others were told of it.
const announceFor = 2 * time.Second

func (a announced) announce(ctx context.Context, action, object string) error {
	kind, verb, _ := strings.Cut(action, ".")
	topic, ok := api.Topic(kind)
	if !ok {
		return nil
	}
	if err := a.feed.Publish(ctx, events.Event{Kind: kind, Action: verb, Object: object}); err != nil {
		return err
	}
	hooks, err := a.hooks.For(ctx, topic)
	if err != nil || len(hooks) == 0 {
		return err
	}
	body, err := json.Marshal(api.Delivery{Event: topic, Action: verb, Object: object, At: time.Now().UTC()})
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		// A tenant whose webhooks are too slow for what it does misses events; it does not stop.
		err := a.queue.Enqueue(ctx, jobs.Job{Kind: api.JobDelivery, ID: hook.ID, Data: body})
		if err != nil && !errors.Is(err, jobs.ErrFull) {
			return err
		}
	}
	return nil
}

// deliver tells a webhook of the tenant of an event. One that was deleted meanwhile is told nothing.
func (p *Parts) deliver(ctx context.Context, j jobs.Job) error {
	hook, err := p.API.Webhooks.Get(ctx, j.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	outcome, err := p.API.Sender.Deliver(ctx, hook.ID, hook.URL, hook.Sealed, j.Data)
	if err == nil && !outcome.Delivered {
		err = fmt.Errorf("the webhook %s did not take a delivery: status %d %s", hook.ID, outcome.Status, outcome.Reason)
	}
	return err
}
