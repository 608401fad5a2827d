// Package signing makes and verifies the tokens that carry an identity.
//
// A token is a JWT signed with Ed25519. The verifier pins the algorithm, the issuer, the audience and the key id: what a
// token says about how it wants to be verified is not listened to.
package signing

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/partywall/partywall/reference/tenant"
)

// Names in every token.
const (
	Issuer   = "https://partywall.example/reference"
	Audience = "partywall-reference"
)

// Lifetime of an access token. It is short because the token is asked for by a refresh token, which can be taken back.
const Lifetime = 15 * time.Minute

// ErrToken means that a token proves nothing. ErrForged is one that names our key and was not signed with it: what is merely old, or
// of a key that is gone, is none.
var (
	ErrToken  = errors.New("the token is not valid")
	ErrForged = fmt.Errorf("%w: it is forged", ErrToken)
)

// Claims of a token.
type Claims struct {
	Tenant string `json:"tid"`
	Role   string `json:"role"`
	// Session that the token was made for.
	Session string `json:"sid,omitempty"`
	// Override that the token was made for; then there is no session.
	Override *Override `json:"override,omitempty"`
	jwt.RegisteredClaims
}

// Override as a claim. Its operator is the subject, its end that of the token.
type Override struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Identity that the claims state.
func (c Claims) Identity() tenant.Identity {
	id := tenant.Identity{Tenant: tenant.ID(c.Tenant), User: c.Subject, Role: c.Role, Session: c.Session}
	if c.Override != nil && c.ExpiresAt != nil {
		id.Override = tenant.Override{ID: c.Override.ID, Operator: c.Subject, Reason: c.Override.Reason, Until: c.ExpiresAt.Time}
	}
	return id
}

// A Verifier turns a token into a verified identity, or ErrToken.
type Verifier interface {
	Verify(token string) (tenant.Identity, error)
}

// Keys sign and verify.
type Keys struct {
	Lifetime time.Duration
	Now      func() time.Time
	id       string
	private  ed25519.PrivateKey
}

// New makes a fresh key pair. Processes that serve the same clients must share one: see With.
func New() *Keys {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // it never fails
	return With(seed)
}

// With makes the key pair of a shared seed of 32 bytes.
func With(seed []byte) *Keys {
	k := &Keys{Lifetime: Lifetime, Now: time.Now, private: ed25519.NewKeyFromSeed(seed)}
	sum := sha256.Sum256(k.Public())
	k.id = base64.RawURLEncoding.EncodeToString(sum[:9])
	return k
}

// Public key, as it is published.
func (k *Keys) Public() ed25519.PublicKey {
	public, _ := k.private.Public().(ed25519.PublicKey) // the dynamic type is fixed by the key
	return public
}

// Sign makes a token for an identity. It lasts as long as the override that the identity acts by, else for the keys' lifetime.
func (k *Keys) Sign(id tenant.Identity) (string, error) {
	now := k.Now()
	claims := Claims{
		Tenant: string(id.Tenant), Role: id.Role, Session: id.Session,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Audience: jwt.ClaimStrings{Audience}, Subject: id.User, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(k.Lifetime)),
		},
	}
	if o := id.Override; o.ID != "" {
		claims.Override, claims.ExpiresAt = &Override{ID: o.ID, Reason: o.Reason}, jwt.NewNumericDate(o.Until)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header["kid"] = k.id
	signed, err := token.SignedString(k.private)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed, nil
}

// Verify implements Verifier.
func (k *Keys) Verify(token string) (tenant.Identity, error) {
	var claims Claims
	parsed, err := jwt.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		if t.Header["kid"] != k.id {
			return nil, errors.New("unknown key id")
		}
		return k.Public(), nil
	}, jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(Issuer), jwt.WithAudience(Audience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(k.Now))
	if parsed != nil && parsed.Header["kid"] == k.id && errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		return tenant.Identity{}, ErrForged
	}
	if err != nil || claims.Tenant == "" || claims.Subject == "" {
		return tenant.Identity{}, ErrToken // the cause is for nobody who presents such a token
	}
	return claims.Identity(), nil
}

// KeySet is the JSON Web Key Set that the service publishes (RFC 7517, RFC 8037).
func (k *Keys) KeySet() []byte {
	set, err := json.Marshal(map[string]any{"keys": []any{map[string]string{
		"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": k.id, "x": base64.RawURLEncoding.EncodeToString(k.Public()),
	}}})
	if err != nil {
		panic(err) // strings always marshal
	}
	return set
}
