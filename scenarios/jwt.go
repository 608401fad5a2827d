package scenarios

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/partywall/partywall/harness"
)

// A jwt is a JSON Web Token in its three parts. It is taken apart here rather than by a library, because no library
// writes the tokens that are needed.
type jwt struct {
	header, claims map[string]any
	signature      string
}

var errNoJWT = errors.New("the token is no JWT")

func parseJWT(token string) (*jwt, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errNoJWT
	}
	t := &jwt{signature: parts[2]}
	for i, into := range []*map[string]any{&t.header, &t.claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, errNoJWT
		}
		if err := decode(data, into); err != nil { // a claim of 64 bits must survive
			return nil, errNoJWT
		}
	}
	return t, nil
}

// signed is what a signature is made of.
func (t *jwt) signed() (string, error) {
	header, err := json.Marshal(t.header)
	if err != nil {
		return "", fmt.Errorf("write the header of a token: %w", err)
	}
	claims, err := json.Marshal(t.claims)
	if err != nil {
		return "", fmt.Errorf("write the claims of a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims), nil
}

// with joins the parts with a signature.
func (t *jwt) with(signature string) (string, error) {
	text, err := t.signed()
	return text + "." + signature, err
}

// victimClaims are the claims of the victim's own token: who can forge one can say all that it says. ok is false where the
// victim has no such token.
func victimClaims(ctx context.Context, w *harness.World) (claims map[string]any, ok bool) {
	forger, ok := w.Actor(w.Victim()).Credential.(harness.Forger)
	if !ok {
		return nil, false
	}
	read := forger.Forge(func(token string) (string, error) {
		t, err := parseJWT(token)
		if err == nil {
			claims = t.claims
		}
		return token, err
	})
	unsent, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://unsent.invalid/", nil)
	if err != nil || read.Apply(ctx, unsent) != nil {
		return nil, false
	}
	return claims, claims != nil
}

// claim makes the token say that its owner belongs to the victim: every claim that names the attacker's tenant names the
// victim's, and where there is none, the usual claims are added.
func (t *jwt) claim(w *harness.World) {
	ownID, ownName := w.AttackerTenant()
	id, name := w.VictimTenant()
	replaced := false
	var swap func(v any) any
	swap = func(v any) any {
		switch v := v.(type) {
		case string:
			switch {
			case v != "" && v == ownID:
				replaced = true
				return id
			case v != "" && v == ownName:
				replaced = true
				return name
			}
			return v
		case map[string]any:
			for key := range v {
				v[key] = swap(v[key])
			}
			return v
		case []any:
			for i := range v {
				v[i] = swap(v[i])
			}
			return v
		default:
			return v
		}
	}
	swap(t.claims)
	if !replaced {
		for _, key := range []string{"tenant_id", "tid", "org_id", "tenant"} {
			t.claims[key] = id
		}
	}
}

// A forgery makes a token from the attacker's own.
type forgery struct {
	label string
	forge func(t *jwt) (string, error)
}

// forge sends every forgery, after the control that a token which only passed through our hands is accepted.
func forge(ctx context.Context, w *harness.World, forgeries []forgery) error {
	forger, ok := w.Attacker().Credential.(harness.Forger)
	if !ok {
		return harness.Skip("the attacker's credential carries no token to rewrite")
	}
	isJWT := true
	untouched := forger.Forge(func(token string) (string, error) {
		_, err := parseJWT(token)
		isJWT = err == nil
		return token, nil
	})
	verb, o := harness.Read, w.Mine()
	if o == nil {
		verb = harness.List
	}
	c, ok := w.Call(verb, o)
	if !ok {
		return harness.Skip("%s cannot be read, so no token can be tried on it", w.Resource().Name)
	}
	c.As, c.Label = untouched, "own token, untouched"
	w.Control(ctx, w.Attacker(), c)
	if !isJWT {
		return harness.Skip("the attacker's token is no JWT")
	}
	for _, c := range looks(w) {
		w.Plain(ctx, c)
	}
	for _, f := range forgeries {
		credential := forger.Forge(func(token string) (string, error) {
			t, err := parseJWT(token)
			if err != nil {
				return "", err
			}
			if claims, ok := victimClaims(ctx, w); ok {
				t.claims = claims
			} else {
				t.claim(w)
			}
			return f.forge(t)
		})
		look(ctx, w, func(c *harness.Call) { c.As, c.Label = credential, f.label })
	}
	return nil
}
