package scenarios

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/partywall/partywall/harness"
)

// Phases of limits/own-bucket, as they stand in the labels.
const (
	pressing   = "a flood"
	disguised  = "refused, and sent with "
	neighbours = "the neighbour, "
)

func limitsOwnBucket() harness.Scenario {
	return harness.Scenario{
		ID:    "limits/own-bucket",
		Claim: "a tenant is refused for what it sent itself, whatever it writes into headers, and for nothing else",
		Why: "A limit that is counted by address or by a header is reset by whoever changes them; one that is counted before the tenant is " +
			"known is counted for nobody; and one that tenants share lets one of them shut out all others.",
		Fix: "Authenticate first, then count under the verified tenant and under nothing that the client wrote. A request without a tenant is " +
			"refused rather than let through uncounted.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Noisy Neighbor Attacks",
				"Implement per-tenant rate limiting and quotas.",
				"Tenant-Aware Rate Limiting",
				"Apply tenant-specific API throttling.",
			},
			CWE: []int{770, 348, 807}, OWASP: []string{"API4"}, Bugs: []string{"multica #2636", "HealthClawGuardrails #339", "CubeSandbox #1379"},
		},
		Needs:  harness.Needs{Rates: true, Verbs: []harness.Verb{harness.List}},
		Limits: true, Once: true,
		Attack: func(ctx context.Context, w *harness.World) error {
			tier, err := rates(w)
			if err != nil {
				return err
			}
			loud, err := w.Enrol(ctx, greedy, tier)
			if err != nil {
				return err
			}
			quiet, err := w.Enrol(ctx, modest, tier)
			if err != nil {
				return err
			}
			knock(ctx, w, quiet, neighbours+"before")
			if flood(ctx, w, loud, pressing, tier.PerMinute+5) {
				id, _ := w.TenantOf(modest)
				for _, d := range disguises(id) {
					for i := range disguiseTries {
						knock(ctx, w, loud, disguised+d.label, func(c *harness.Call) { c.Header = d.header(i) })
					}
				}
			}
			for range min(3, tier.Burst-1) {
				knock(ctx, w, quiet, neighbours+"after")
			}
			return nil
		},
		Judge: judgeBuckets,
	}
}

// disguiseTries is how often each disguise is worn: more than what time gives back meanwhile.
const disguiseTries = 8

// a disguise is what a client adds that a limiter might count by; i makes it another client each time.
type disguise struct {
	label  string
	header func(i int) http.Header
}

func disguises(neighbour string) []disguise {
	set := func(names []string, value string) http.Header {
		h := http.Header{}
		for _, name := range names {
			h.Set(name, value)
		}
		return h
	}
	return []disguise{
		{"other addresses", func(i int) http.Header {
			address := fmt.Sprintf("198.51.100.%d", i+1)
			h := set([]string{"X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Originating-IP"}, address)
			h.Set("Forwarded", "for="+address)
			return h
		}},
		{"other tenants' names", func(i int) http.Header {
			return set(tenantHeaders, fmt.Sprintf("0f0f0f0f-0000-4000-8000-00000000000%d", i))
		}},
		{"the neighbour's name", func(int) http.Header { return set(tenantHeaders, neighbour) }},
		{"other keys and agents", func(i int) http.Header {
			return set([]string{"X-API-Key", "User-Agent", "X-Request-ID", "X-Session-ID"}, fmt.Sprintf("partywall-%d", i))
		}},
	}
}

// judgeBuckets finds who was refused for another's requests, and who passed though its own were too many. What time has given back
// since the first refusal is granted twice over.
func judgeBuckets(h *harness.History) (findings []harness.Finding, err error) {
	if over := overrun(h, greedy); over != nil {
		return []harness.Finding{{
			Summary:  fmt.Sprintf("%d requests passed within %s and none was refused; the tier %s allows %d in a minute", len(over), spread(over), h.Tier.Name, h.Tier.PerMinute),
			Attacker: greedy, Victim: h.Cell.Victim, Channel: "rate", Evidence: ends(over),
		}}, nil
	}
	var before, refusal *harness.Exchange
	worn := map[string][]*harness.Exchange{}
	for _, e := range h.Exchanges {
		switch {
		case strings.HasPrefix(e.Label, neighbours):
			if e.Refused() && before != nil {
				findings = append(findings, harness.Finding{
					Summary:  "a neighbour that had sent next to nothing was refused behind the flood of another tenant",
					Attacker: greedy, Victim: modest, Channel: "rate", Evidence: []string{before.ID, e.ID},
				})
				return findings, nil
			}
			if before == nil && e.Refused() {
				return nil, errors.New("a tenant on the tier was refused its first request")
			}
			before = e
		case e.Label == pressing && e.Refused():
			refusal = e
		case strings.HasPrefix(e.Label, disguised) && !e.Refused() && e.Err == "":
			worn[e.Label] = append(worn[e.Label], e)
		}
	}
	for label, through := range worn {
		last := through[len(through)-1]
		earned := int(math.Ceil((last.Done() - refusal.Sent()).Seconds() * float64(h.Tier.PerMinute) / time.Minute.Seconds()))
		switch {
		case len(through) > 2*earned:
			findings = append(findings, harness.Finding{
				Summary:  fmt.Sprintf("a refused tenant passed %d times of %d when it sent %s", len(through), disguiseTries, strings.TrimPrefix(label, disguised)),
				Attacker: greedy, Victim: h.Cell.Victim, Channel: "rate", Evidence: append([]string{refusal.ID}, ends(through)...),
			})
		case 2*earned >= disguiseTries && len(through) == disguiseTries:
			err = errors.New("the service was so slow that time alone lets every request pass again")
		}
	}
	return findings, err
}
