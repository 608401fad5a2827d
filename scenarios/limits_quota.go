package scenarios

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/partywall/partywall/harness"
)

func limitsQuota() harness.Scenario {
	return harness.Scenario{
		ID:    "limits/quota",
		Claim: "a tenant gets as many objects as its tier allows, and not one fewer because of what others have",
		Why: "A quota that is counted over all tenants is used up by one of them for all others; one that is looked at before the object is " +
			"written lets those who come at once pass together.",
		Fix: "Keep a count for each tenant, and raise it in the statement that writes the object, so that it cannot be passed and is given " +
			"back where the write fails.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Implement per-tenant rate limiting and quotas.",
				"Noisy Neighbor Attacks",
			},
			CWE: []int{770, 367}, OWASP: []string{"API4"},
		},
		Needs:  harness.Needs{Quota: true, Verbs: []harness.Verb{harness.Create}},
		Limits: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			tier, ok := w.BoundedTier()
			if !ok || len(w.Resource().Parents) > 0 {
				return harness.Skip("no tier bounds %s by themselves", w.Resource().Name)
			}
			quota := tier.Objects[w.Resource().Name]
			loud, err := w.Enrol(ctx, greedy, tier)
			if err != nil {
				return err
			}
			quiet, err := w.Enrol(ctx, modest, tier)
			if err != nil {
				return err
			}
			makeSome(ctx, w, quiet, neighbours+"before", 1)
			makeSome(ctx, w, loud, pressing, quota+3)
			for range quota - 1 {
				makeSome(ctx, w, quiet, neighbours+"after", 1)
			}
			return nil
		},
		Judge: judgeQuota,
	}
}

// makeSome creates some objects of a tenant, all at once.
func makeSome(ctx context.Context, w *harness.World, as harness.Actor, label string, n int) {
	var wg sync.WaitGroup
	for range n {
		c, _ := w.CallFor(as, harness.Create, nil)
		c.Label = label
		for name, value := range w.Values(w.Resource(), as.Tenant) {
			c.Values[name] = value
		}
		wg.Go(func() { w.AttackAs(ctx, as, c) })
	}
	wg.Wait()
}

func judgeQuota(h *harness.History) ([]harness.Finding, error) {
	quota := h.Tier.Objects[h.Cell.Resource]
	var made []*harness.Exchange
	var before *harness.Exchange
	for _, e := range h.Exchanges {
		switch {
		case e.Purpose != harness.Attack:
		case e.Label == pressing && e.OK:
			made = append(made, e)
		case strings.HasPrefix(e.Label, neighbours) && before == nil:
			if before = e; !e.OK {
				return nil, fmt.Errorf("a tenant on the tier %s could not create its first: %d", h.Tier.Name, e.Response.Status)
			}
		case strings.HasPrefix(e.Label, neighbours) && !e.OK && e.Err == "" && e.Response.Status < 500:
			return []harness.Finding{{
				Summary:  fmt.Sprintf("a neighbour with fewer than %d %s was refused a further one behind those of another tenant", quota, h.Cell.Resource),
				Attacker: greedy, Victim: modest, Channel: "quota", Evidence: []string{before.ID, e.ID},
			}}, nil
		}
	}
	switch {
	case len(made) > quota:
		return []harness.Finding{{
			Summary:  fmt.Sprintf("of one tenant %d %s were made at once; the tier %s allows %d", len(made), h.Cell.Resource, h.Tier.Name, quota),
			Attacker: greedy, Victim: h.Cell.Victim, Channel: "quota", Evidence: ends(made),
		}}, nil
	case len(made) < quota:
		return nil, fmt.Errorf("of one tenant only %d of %d %s could be made", len(made), quota, h.Cell.Resource)
	}
	return nil, nil
}
