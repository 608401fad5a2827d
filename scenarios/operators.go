package scenarios

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/partywall/partywall/harness"
)

var errSilent = errors.New("the service says nothing of the cell's tenants there, so it cannot be told what it would say")

// leaking finds what of a tenant's values and credentials stands where operators read.
func leaking(h *harness.History, on harness.Layer) (findings []harness.Finding, err error) {
	told := false
	for _, e := range h.Observed(on) {
		told = told || len(e.Response.Body) > 0
		for _, t := range h.Holds(e.Response.Body) {
			if t.Kind == harness.IDToken {
				continue // to name an object is what a log is for
			}
			_, kind, _ := strings.Cut(t.Object, "/")
			kind, _, _ = strings.Cut(kind, "/")
			findings = append(findings, harness.Finding{
				Summary:  fmt.Sprintf("the %s of the victim's %s stands in the %s", t.Field, kind, on),
				Attacker: "the operator", Victim: t.Owner, Channel: string(on), Evidence: []string{e.ID},
			})
		}
		for _, c := range unique(harness.Credentials(string(e.Response.Body))) {
			findings = append(findings, harness.Finding{
				Summary:  fmt.Sprintf("a credential, %s, stands in the %s", strings.Trim(c, "<>"), on),
				Attacker: "the operator", Victim: h.Cell.Victim, Channel: string(on), Evidence: []string{e.ID},
			})
		}
	}
	if !told {
		return findings, errSilent
	}
	return findings, nil
}

func unique(texts []string) (out []string) {
	for _, text := range texts {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// inQuery is a credential that is sent as a parameter, as clients of other services do.
type inQuery struct {
	harness.Credential
	name string
}

// Apply implements harness.Credential.
func (q inQuery) Apply(ctx context.Context, r *http.Request) error {
	headers, err := adds(ctx, q.Credential, r)
	if err != nil || len(headers) == 0 {
		return err
	}
	query := r.URL.Query()
	for _, values := range headers {
		value := values[0]
		if _, token, ok := strings.Cut(value, " "); ok {
			value = token
		}
		query.Set(q.name, value)
	}
	r.URL.RawQuery = query.Encode()
	return nil
}

// talkative sends what makes a service say much: requests that fail in its parts, with values and credentials in all places of theirs.
func talkative(ctx context.Context, w *harness.World) {
	victim := w.Actor(w.Victim())
	read, reads := w.CallFor(victim, harness.Read, w.Theirs())
	if reads {
		foreign := read
		foreign.Label = "another tenant's object"
		w.Attack(ctx, foreign)
		for _, name := range []string{"access_token", "api_key"} {
			c := read
			c.As, c.Label = inQuery{victim.Credential, name}, "the owner's credential as "+name
			w.AttackAs(ctx, victim, c)
		}
		lost := read
		lost.RawID, lost.Label = "%00", "an id that is none"
		lost.Query = url.Values{"q": {anyValue(w)}}
		w.AttackAs(ctx, victim, lost)
	}
	for _, verb := range []harness.Verb{harness.Create, harness.Update} {
		c, ok := w.CallFor(victim, verb, w.Theirs())
		if !ok {
			continue
		}
		broken := *c.Op
		broken.Body = harness.Body{Kind: "raw", Type: "application/json", Raw: `{"` + anyField(w) + `":"` + anyValue(w) + `",`}
		c.Op, c.Label = &broken, "a body that breaks off"
		w.AttackAs(ctx, victim, c)
	}
	if reads {
		w.Control(ctx, victim, read) // what is said of it is said last
	}
}

func anyField(w *harness.World) string {
	for _, f := range w.Resource().Fields {
		if f.Refers == "" && f.Fixed == "" {
			return f.Name
		}
	}
	return "value"
}

func anyValue(w *harness.World) string { return w.Theirs().Values[anyField(w)] }
