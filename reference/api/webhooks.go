package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/webhooks"
)

// What is answered when a webhook is made holds its secret: it must not be kept for an idempotency key.
func (a *api) webhookRoutes() []route {
	return []route{
		admins("POST /v1/webhooks", a.createWebhook),
		admins("GET /v1/webhooks", a.listWebhooks),
		admins("GET /v1/webhooks/{id}", a.readWebhook),
		admins("POST /v1/webhooks/{id}/ping", a.pingWebhook),
		admins("DELETE /v1/webhooks/{id}", a.deleteWebhook),
	}
}

// JobDelivery is the kind of the jobs that deliver events; their id is that of the webhook, and their data is the body.
const JobDelivery = "delivery"

// Delivery is the body of what a webhook is told.
type Delivery struct {
	Event  string    `json:"event"`
	Action string    `json:"action"`
	Object string    `json:"object"`
	At     time.Time `json:"at"`
}

func (a *api) createWebhook(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		URL   *string `json:"url"`
		Event *string `json:"event"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := check(true, field{"url", in.URL, 2000}, field{"event", in.Event, 100}); err != nil {
		return err
	}
	if err := webhooks.Check(*in.URL); err != nil {
		return err
	}
	if _, ok := topics[*in.Event]; !ok {
		return fmt.Errorf("%w: a webhook is told of one of the topics that can be followed", ErrInput)
	}
	hook := store.Webhook{ID: uuid.NewString(), URL: *in.URL, Event: *in.Event}
	secret, sealed, err := a.Sender.NewSecret(r.Context(), hook.ID)
	if err != nil {
		return err
	}
	hook.Sealed = sealed
	if hook, err = a.Webhooks.Create(r.Context(), hook); err != nil {
		return err
	}
	return a.made(w, r, "webhook.create", hook.ID, struct {
		store.Webhook
		Secret string `json:"secret"`
	}{hook, secret})
}

func (a *api) listWebhooks(w http.ResponseWriter, r *http.Request) error {
	hooks, err := a.Webhooks.List(r.Context())
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(hooks, nil))
}

func (a *api) webhook(r *http.Request) (store.Webhook, error) {
	id, err := named(r, "id")
	if err != nil {
		return store.Webhook{}, err
	}
	return a.Webhooks.Get(r.Context(), id)
}

func (a *api) readWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := a.webhook(r)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, hook)
}

// pingWebhook delivers now, and answers with what came of it.
func (a *api) pingWebhook(w http.ResponseWriter, r *http.Request) error {
	hook, err := a.webhook(r)
	if err != nil {
		return err
	}
	body, err := json.Marshal(Delivery{Event: "ping", Action: "ping", Object: hook.ID, At: time.Now().UTC()})
	if err != nil {
		return err
	}
	outcome, err := a.Sender.Deliver(r.Context(), hook.ID, hook.URL, hook.Sealed, body)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, outcome)
}

func (a *api) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.remove(w, r, "webhook.delete", a.Webhooks.Delete)
}
