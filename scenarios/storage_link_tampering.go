package scenarios

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/partywall/partywall/harness"
)

var errNoLink = errors.New("the owner was given no link that opens its own object")

func storageLinkTampering() harness.Scenario {
	return harness.Scenario{
		ID:    "storage/link-tampering",
		Claim: "a link opens what it was made for, and nothing else when it is changed",
		Why: "Whoever holds a link needs no login: the signature is the only wall. What it does not cover, be it the tenant, the path or the " +
			"method, the holder may choose.",
		Fix: "Sign everything that decides what is done: tenant, key, method and expiry, each by its length, and compare the method of the request.",
		Refs: harness.Refs{
			CheatSheet: []string{"Use signed URLs with tenant context embedded.", "Secure Multi-Tenant File Storage"},
			CWE:        []int{345, 347, 639}, OWASP: []string{"API1", "API2"}, Techniques: []string{"45"},
		},
		Needs: harness.Needs{Objects: true, Verbs: []harness.Verb{harness.Link}},
		Attack: func(ctx context.Context, w *harness.World) error {
			for _, lead := range []func(context.Context, *harness.World) (*harness.Object, error){lure, double} {
				object, err := lead(ctx, w)
				if err != nil {
					return err
				}
				if object == nil {
					continue
				}
				link, ok := w.Link(ctx, object)
				if !ok {
					return errNoLink
				}
				w.Watch(ctx, object)
				bend(ctx, w, link, object)
			}
			return nil
		},
	}
}

// lure is another object of the victim, that it shows to the attacker by a link.
func lure(ctx context.Context, w *harness.World) (*harness.Object, error) {
	o, err := w.Create(ctx, w.Victim(), w.Resource())
	if err != nil {
		return nil, err
	}
	for _, value := range o.Values {
		w.Give(w.Attacker().Tenant, value)
	}
	return o, nil
}

// double is an object of the attacker's own, where clients choose the ids under one that the victim has as well.
func double(ctx context.Context, w *harness.World) (*harness.Object, error) {
	if w.Resource().Chosen == "" {
		return w.Mine(), nil
	}
	mine, _, err := w.Colliding(ctx, w.Resource(), w.Attacker().Tenant, w.Victim())
	return mine, err
}

// bend opens a link with other names in it, and with other methods.
func bend(ctx context.Context, w *harness.World, link string, object *harness.Object) {
	ownID, ownName := w.AttackerTenant()
	id, name := w.VictimTenant()
	tenants := []string{ownID, id, ownName, name}
	objects := []string{object.ID, w.Theirs().ID}
	for _, swap := range []struct {
		label string
		texts []string
	}{{"another object", objects}, {"another tenant", tenants}, {"another tenant and object", slices.Concat(objects, tenants)}} {
		changed := link
		for i := 0; i+1 < len(swap.texts); i += 2 {
			changed = rewritten(changed, swap.texts[i], swap.texts[i+1])
		}
		if c, ok := w.Opening(changed, object); ok && changed != link {
			c.Label = swap.label
			w.Attack(ctx, c)
		}
	}
	for _, method := range []string{"PUT", "POST", "PATCH", "DELETE"} {
		for _, changed := range []string{link, rewritten(rewritten(link, "GET", method), "get", strings.ToLower(method))} {
			c, ok := w.Opening(changed, object)
			if !ok || changed == link && method != "PUT" && method != "DELETE" {
				continue
			}
			op := *c.Op
			op.Method, op.Body = method, harness.Body{Kind: "raw", Raw: "overwritten by whoever held a link"}
			c.Op, c.Label = &op, "method "+method
			w.Attack(ctx, c)
		}
	}
}

// encoded is what could be a piece of base64.
var encoded = regexp.MustCompile(`[A-Za-z0-9_+-]{16,}=*`)

// rewritten replaces a text in a link wherever it stands: as it is, escaped, or within a piece that is base64.
func rewritten(link, old, fresh string) string {
	if old == "" || old == fresh {
		return link
	}
	link = strings.NewReplacer(
		old, fresh, url.QueryEscape(old), url.QueryEscape(fresh), strings.ReplaceAll(old, "/", "%2F"), strings.ReplaceAll(fresh, "/", "%2F"),
	).Replace(link)
	return encoded.ReplaceAllStringFunc(link, func(piece string) string {
		for _, encoding := range []*base64.Encoding{base64.RawURLEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.StdEncoding} {
			if data, err := encoding.DecodeString(piece); err == nil && strings.Contains(string(data), old) {
				return encoding.EncodeToString([]byte(strings.ReplaceAll(string(data), old, fresh)))
			}
		}
		return piece
	})
}
