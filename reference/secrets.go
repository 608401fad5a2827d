package reference

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// SecretSize is how many bytes the secret of a service has at least.
const SecretSize = 32

// secrets are all keys of a service. Each is derived from the one secret that its processes share, under a name of its own: what is
// learnt of one says nothing of another, and a mark that was made for one purpose is none for the next.
type secrets struct{ shared []byte }

// newSecrets draws a secret where there is none; it ends with the process.
func newSecrets(shared []byte) (secrets, error) {
	if shared == nil {
		shared = make([]byte, SecretSize)
		_, _ = rand.Read(shared) // it never fails
	}
	if len(shared) < SecretSize {
		return secrets{}, fmt.Errorf("the secret of the service has at least %d bytes, not %d", SecretSize, len(shared))
	}
	return secrets{shared}, nil
}

// key of 32 bytes for a purpose.
func (s secrets) key(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, s.shared, nil, "partywall reference 1: "+purpose, sha256.Size)
	if err != nil {
		panic(err) // a key of this size can always be derived
	}
	return key
}

// text is a key that can be typed.
func (s secrets) text(purpose string) string {
	return base64.RawURLEncoding.EncodeToString(s.key(purpose))
}
