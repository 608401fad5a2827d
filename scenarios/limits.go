package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/partywall/partywall/harness"
)

// Labels of the tenants that scenarios about limits enrol.
const (
	greedy = "greedy"
	modest = "modest"
)

// flood lists as a tenant until it is refused, or until most have passed, and tells whether it was refused.
func flood(ctx context.Context, w *harness.World, as harness.Actor, label string, most int, bends ...func(*harness.Call)) (refused bool) {
	for range most {
		e := knock(ctx, w, as, label, bends...)
		if e.Refused() || e.Err != "" {
			return e.Refused()
		}
	}
	return false
}

// knock is one request of a tenant that has nothing yet.
func knock(ctx context.Context, w *harness.World, as harness.Actor, label string, bends ...func(*harness.Call)) *harness.Exchange {
	c, _ := w.CallFor(as, harness.List, nil)
	c.Label = label
	for _, bend := range bends {
		bend(&c)
	}
	return w.AttackAs(ctx, as, c)
}

// rates is what a scenario about limits of requests needs: a list that a tenant can ask for without having anything.
func rates(w *harness.World) (harness.Tier, error) {
	tier, ok := w.LimitedTier()
	if !ok || len(w.Resource().Parents) > 0 {
		return tier, harness.Skip("%s cannot be listed without having any", w.Resource().Name)
	}
	return tier, nil
}

// passed are the exchanges of a tenant that no limiter refused, in the order in which they were sent.
func passed(h *harness.History, tenant string) (out []*harness.Exchange) {
	for _, e := range h.Exchanges {
		if e.Tenant == tenant && e.Purpose == harness.Attack && e.Err == "" && !e.Refused() {
			out = append(out, e)
		}
	}
	return out
}

// overrun returns a minute, as a client can be sure of it, in which more passed than the tier allows, or nothing.
func overrun(h *harness.History, tenant string) []*harness.Exchange {
	all := passed(h, tenant)
	for i := range all {
		if last := i + h.Tier.PerMinute; last < len(all) && all[last].Done()-all[i].Sent() < time.Minute {
			return all[i : last+1]
		}
	}
	return nil
}

// ends are the first and the last of exchanges, as evidence.
func ends(all []*harness.Exchange) []string { return []string{all[0].ID, all[len(all)-1].ID} }

// spread is how long exchanges took from the first to the last, in words.
func spread(all []*harness.Exchange) string {
	return fmt.Sprintf("%.1f s", (all[len(all)-1].Done() - all[0].Sent()).Seconds())
}
