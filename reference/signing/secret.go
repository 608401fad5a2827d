package signing

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"github.com/partywall/partywall/reference/tenant"
)

// NewSecret makes a token that proves nothing but that it was handed out: "<tenant>.<random>". It names its tenant, which is no
// secret, so that it can be looked for among that tenant's rows alone. Only the digest is to be stored.
func NewSecret(id tenant.ID) (text, digest string) {
	text = strings.ReplaceAll(string(id), "-", "") + "." + rand.Text() + rand.Text()
	return text, digestOf(text)
}

// ParseSecret returns whose rows a secret is to be looked for in, and by what, or ErrToken. It has verified nothing.
func ParseSecret(text string) (id tenant.ID, digest string, err error) {
	owner, secret, _ := strings.Cut(text, ".")
	u, err := uuid.Parse(owner)
	if err != nil || owner != hex.EncodeToString(u[:]) || secret == "" || len(text) > 100 {
		return "", "", ErrToken // the cause is for nobody who presents such a token
	}
	return tenant.ID(u.String()), digestOf(text), nil
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
