package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// Dead is a job that was given up. Why it failed stands in the service's log: it may speak of what is behind the service.
type Dead struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Object   string    `json:"object"`
	User     string    `json:"user"`
	QueuedAt time.Time `json:"queued_at"`
	FailedAt time.Time `json:"failed_at"`
	Tries    int       `json:"tries"`
	Reason   string    `json:"reason"`
}

const (
	// keptDead is how many of a tenant's dead jobs are kept, and deadFor how long, from the last.
	keptDead = 100
	deadFor  = 30 * 24 * time.Hour
)

// died writes down a job that is given up, sealed as its envelope was.
func (q *Queue) died(e envelope, err error) (string, error) {
	d := Dead{
		ID: e.Nonce, Kind: e.Job.Kind, Object: e.Job.ID, User: e.User, QueuedAt: e.At.UTC(), FailedAt: q.Now().UTC(), Tries: e.Try + 1,
		Reason: fmt.Sprintf("it failed %d times", e.Try+1),
	}
	if errors.Is(err, ErrExpired) || errors.Is(err, ErrUnknown) {
		d.Tries, d.Reason = e.Try, err.Error()
	}
	content, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("write down a dead job: %w", err)
	}
	return q.Seal.Sign(string(content), "dead job", string(e.Tenant)), nil
}

// Dead are the jobs of the tenant in the context that were given up, the last one first.
func (q *Queue) Dead(ctx context.Context, limit int) ([]Dead, error) {
	id, err := tenant.From(ctx)
	if err != nil {
		return nil, err
	}
	texts, err := q.Client.LRange(ctx, Key(id.Tenant)+dead, 0, int64(limit)-1).Result()
	if err != nil {
		return nil, fmt.Errorf("list the dead jobs: %w", err)
	}
	list := []Dead{}
	for _, text := range texts {
		var d Dead
		content, err := q.Seal.Open(text, "dead job", string(id.Tenant))
		if err == nil && json.Unmarshal([]byte(content), &d) == nil { // what somebody else wrote is not there
			list = append(list, d)
		}
	}
	return list, nil
}
