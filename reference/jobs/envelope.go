package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

const (
	// expiry is how long a job may wait, its tries included.
	expiry = time.Hour
	// ahead is how far the clock of another process may be.
	ahead = time.Minute
	// tries is how often a job is tried.
	tries = 5
)

// backoff is how long a job waits for its next try: some fourteen minutes in all.
func backoff(try int) time.Duration { return 10 * time.Second << (2 * try) }

// envelope is what travels: one try of one job.
type envelope struct {
	Nonce  string    `json:"nonce"`
	Try    int       `json:"try"`
	Tenant tenant.ID `json:"tenant"`
	User   string    `json:"user"`
	Role   string    `json:"role"`
	At     time.Time `json:"at"`
	Job    Job       `json:"job"`
}

// ticket is what is remembered of a try that was made.
func (e envelope) ticket() string { return fmt.Sprintf("%s/%d", e.Nonce, e.Try) }

// purpose binds an envelope to being one.
const purpose = "job"

func (q *Queue) sealed(e envelope) (string, error) {
	content, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("write the envelope of a job: %w", err)
	}
	return q.Seal.Sign(string(content), purpose), nil
}

// open verifies an envelope that was found in a queue.
func (q *Queue) open(queue, text string) (e envelope, err error) {
	content, err := q.Seal.Open(text, purpose)
	if err != nil || json.Unmarshal([]byte(content), &e) != nil || e.Nonce == "" || Key(e.Tenant) != queue {
		return envelope{}, ErrForged
	}
	if e.Tenant == "" {
		return envelope{}, tenant.ErrMissing
	}
	age := q.Now().Sub(e.At)
	if age < -ahead {
		return envelope{}, ErrForged
	}
	if age > expiry {
		return e, ErrExpired
	}
	return e, nil
}

// hopeless tells whether a job that failed would fail again.
func (e envelope) hopeless(err error) bool {
	return e.Try >= tries-1 || errors.Is(err, ErrExpired) || errors.Is(err, ErrUnknown)
}
