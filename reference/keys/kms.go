package keys

import (
	"context"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// KMS wraps data keys with a master key that it does not give away. It is what Tink's clients of the services of cloud providers
// implement.
type KMS = tink.AEADWithContext

// Local is a KMS whose master key, of 32 bytes, lies in this process.
func Local(master []byte) (KMS, error) {
	aead, err := subtle.NewAESGCM(master)
	if err != nil || len(master) != 32 {
		return nil, fmt.Errorf("a master key has 32 bytes, not %d", len(master))
	}
	return local{aead}, nil
}

type local struct{ aead tink.AEAD }

func (l local) EncryptWithContext(_ context.Context, plain, associated []byte) ([]byte, error) {
	return l.aead.Encrypt(plain, associated)
}

func (l local) DecryptWithContext(_ context.Context, sealed, associated []byte) ([]byte, error) {
	return l.aead.Decrypt(sealed, associated)
}
