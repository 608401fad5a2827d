package signing

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// A draft is a token before it is signed: by default a good one, for whoever may change one thing of it.
type draft struct {
	header map[string]any
	claims jwt.MapClaims
	method jwt.SigningMethod
	key    any
}

func sign(t *testing.T, k *Keys, change func(*draft)) string {
	t.Helper()
	d := &draft{
		header: map[string]any{"kid": k.id},
		claims: jwt.MapClaims{
			"iss": Issuer, "aud": Audience, "sub": "alice", "tid": "a", "role": "admin",
			"iat": k.Now().Unix(), "exp": k.Now().Add(time.Minute).Unix(),
		},
		method: jwt.SigningMethodEdDSA, key: k.private,
	}
	change(d)
	token := jwt.NewWithClaims(d.method, d.claims)
	for name, value := range d.header {
		token.Header[name] = value
	}
	signed, err := token.SignedString(d.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func newKeys(t *testing.T) *Keys {
	t.Helper()
	return New()
}

// TestTokens: a token that differs from a good one in a single thing proves nothing, whoever signed it.
func TestTokens(t *testing.T) {
	k, other := newKeys(t), newKeys(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func(*draft) {
		return func(d *draft) {
			if d.claims[name] = value; value == nil {
				delete(d.claims, name)
			}
		}
	}
	by := func(method jwt.SigningMethod, key any) func(*draft) {
		return func(d *draft) { d.method, d.key = method, key }
	}
	for name, change := range map[string]func(*draft){
		"another issuer": claim("iss", "https://evil.example"), "an issuer that begins like ours": claim("iss", Issuer+"/x"), "no issuer": claim("iss", nil),
		"another audience": claim("aud", "another-service"), "no audience": claim("aud", nil), "an empty audience": claim("aud", []string{}),
		"no expiry": claim("exp", nil), "an expiry this moment": claim("exp", k.Now().Unix()), "a time before which it is not good": claim("nbf", k.Now().Add(time.Hour).Unix()),
		"no tenant": claim("tid", nil), "a tenant that is a list": claim("tid", []string{"a"}), "no subject": claim("sub", nil),
		"no key id":                       func(d *draft) { delete(d.header, "kid") },
		"another key id":                  func(d *draft) { d.header["kid"] = other.id },
		"a key id that is a list":         func(d *draft) { d.header["kid"] = []string{k.id} },
		"another key":                     by(jwt.SigningMethodEdDSA, other.private),
		"another key, which it brings":    func(d *draft) { d.key, d.header["jwk"] = other.private, jwk(other) },
		"another key, which it points at": func(d *draft) { d.key, d.header["jku"] = other.private, "https://evil.example/jwks.json" },
		"no signature":                    by(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"HS256 with the public key":       by(jwt.SigningMethodHS256, []byte(k.Public())),
		"RS256":                           by(jwt.SigningMethodRS256, private),
		"another name of the algorithm":   func(d *draft) { d.header["alg"] = "eddsa" },
	} {
		if id, err := k.Verify(sign(t, k, change)); !errors.Is(err, ErrToken) || id != (tenant.Identity{}) {
			t.Errorf("a token with %s says %+v, %v", name, id, err)
		}
	}
	good := sign(t, k, func(*draft) {})
	want := tenant.Identity{Tenant: "a", User: "alice", Role: "admin"}
	if got, err := k.Verify(good); err != nil || got != want {
		t.Errorf("the good token says %+v, %v", got, err)
	}
	made, err := k.Sign(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Verify(made); err != nil || got != want {
		t.Errorf("a token that was made here says %+v, %v", got, err)
	}
	parts := strings.Split(good, ".")
	for name, bad := range map[string]string{
		"nothing": "", "a part less": parts[0] + "." + parts[1], "a part more": good + ".x", "an empty signature": parts[0] + "." + parts[1] + ".",
		"half a signature": good[:len(good)-40], "the claims of another": parts[0] + "." + strings.Split(made, ".")[1] + "." + parts[2],
	} {
		if _, err := k.Verify(bad); !errors.Is(err, ErrToken) {
			t.Errorf("a token of %s: %v", name, err)
		}
	}
}

func jwk(k *Keys) map[string]string {
	return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(k.Public())}
}

// TestExpiry: a token is good for the lifetime of the keys' tokens, and not a second longer.
func TestExpiry(t *testing.T) {
	k := newKeys(t)
	now := time.Now()
	k.Now = func() time.Time { return now }
	token, err := k.Sign(tenant.Identity{Tenant: "a", User: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(Lifetime - 2*time.Second)
	if _, err := k.Verify(token); err != nil {
		t.Errorf("two seconds before its end: %v", err)
	}
	now = now.Add(2 * time.Second)
	if _, err := k.Verify(token); !errors.Is(err, ErrToken) {
		t.Errorf("at its end: %v", err)
	}
}

// TestKeySet: what is published verifies what was signed, and holds nothing of the private key.
func TestKeySet(t *testing.T) {
	k := newKeys(t)
	set := string(k.KeySet())
	_, x, _ := strings.Cut(set, `"x":"`)
	x, _, _ = strings.Cut(x, `"`)
	public, err := base64.RawURLEncoding.DecodeString(x)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("message")
	if !ed25519.Verify(public, message, ed25519.Sign(k.private, message)) || !strings.Contains(set, `"kid":"`+k.id+`"`) {
		t.Errorf("it is %s", set)
	}
	if strings.Contains(set, `"d"`) || strings.Contains(set, base64.RawURLEncoding.EncodeToString(k.private.Seed())) {
		t.Error("the private key is published")
	}
}
