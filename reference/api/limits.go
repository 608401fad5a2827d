package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// limited counts a request, and tells its tenant what is left: of each limit as the IETF's draft has it
// (draft-ietf-httpapi-ratelimit-headers), and under the names that clients know: the limit of the minute, and how many more requests
// would pass at once, whichever limit refuses first. An answer that says nothing of limits came from a tier that has none, or while
// nobody could count.
func (a *api) limited(ctx context.Context, w http.ResponseWriter) error {
	decision, err := a.Allow(ctx)
	var policies, left []string
	for _, b := range decision.Budgets {
		policies = append(policies, fmt.Sprintf(`%q;q=%d;w=%s`, b.Name, b.Quota, seconds(b.Window)))
		left = append(left, fmt.Sprintf(`%q;r=%d;t=%s`, b.Name, b.Left, seconds(b.Reset)))
	}
	if b, ok := decision.Tightest(); ok {
		h := w.Header()
		h.Set("RateLimit-Policy", strings.Join(policies, ", "))
		h.Set("RateLimit", strings.Join(left, ", "))
		h.Set("X-RateLimit-Limit", fmt.Sprint(decision.PerMinute))
		h.Set("X-RateLimit-Remaining", fmt.Sprint(b.Left))
		h.Set("X-RateLimit-Reset", seconds(b.Reset))
	}
	return err
}

// fairly has a request wait for its tenant's turn: what it asks for costs much more than others do.
func (a *api) fairly(handle handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		leave, err := a.Turn(r.Context())
		if err != nil {
			return err
		}
		defer leave()
		return handle(w, r)
	}
}

// seconds are rounded up: who comes back then does not come too early.
func seconds(d time.Duration) string { return fmt.Sprint(int(math.Ceil(d.Seconds()))) }
