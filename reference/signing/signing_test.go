package signing_test

import (
	"errors"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/tenant"
)

func TestTokens(t *testing.T) {
	keys, err := signing.New()
	if err != nil {
		t.Fatal(err)
	}
	other, err := signing.New()
	if err != nil {
		t.Fatal(err)
	}
	want := tenant.Identity{Tenant: "a", User: "alice", Role: "admin"}
	token, err := keys.Sign(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keys.Verify(token); err != nil || got != want {
		t.Errorf("a good token says %+v, %v", got, err)
	}
	claims := signing.Claims{Tenant: "a", RegisteredClaims: jwt.RegisteredClaims{Subject: "alice", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour))}}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	confused, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(keys.Public()))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.Sign(want)
	if err != nil {
		t.Fatal(err)
	}
	keys.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	for name, bad := range map[string]string{"none": none, "HS256 with the public key": confused, "another key": foreign, "expired": token, "": ""} {
		if _, err := keys.Verify(bad); !errors.Is(err, signing.ErrToken) {
			t.Errorf("a token with %s: %v", name, err)
		}
	}
}
