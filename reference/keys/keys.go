// Package keys seals what tenants store, with keys of their own.
//
// Every tenant has data keys, each wrapped by a [KMS] and kept in a table of the tenant. Contents are sealed in a stream
// ([Tink]'s AES-256-GCM-HKDF) and bound to the tenant and to the name of the object: what is swapped in the bucket, between
// tenants or between objects, does not open, nor does what was cut off or put together from pieces.
//
// A new content is sealed with the newest key; older ones stay, so that what they sealed opens. Nothing here is remembered: each use
// reads the wrapped key and asks the KMS, so a key that is deleted is gone with the next request. Deleting the keys of a tenant
// makes all that it stored, wherever a copy of it may lie, unreadable for good.
//
// [Tink]: https://developers.google.com/tink/streaming-aead
package keys

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/streamingaead"
	"github.com/tink-crypto/tink-go/v2/streamingaead/aesgcmhkdf"

	"github.com/partywall/partywall/reference/tenant"
)

// Errors of this package.
var (
	ErrNoKey         = errors.New("the tenant has no such data key") // also when another tenant has it
	ErrUnprovisioned = errors.New("the tenant was never given a data key")
	ErrSealed        = errors.New("the content does not open: it was sealed for another place, or changed since")
)

// Table keeps the wrapped data keys of the tenant in the context.
type Table interface {
	Add(ctx context.Context, id, wrapped string) error
	// Get returns a key by its id, ok is false when the tenant has no such key.
	Get(ctx context.Context, id string) (wrapped string, ok bool, err error)
	// Newest returns the key that is to be used, ok is false when the tenant has none.
	Newest(ctx context.Context) (id, wrapped string, ok bool, err error)
}

// Vault seals and opens contents of the tenant in the context.
type Vault struct {
	KMS   KMS
	Table Table
}

// Provision gives a new tenant its first key. It may be repeated.
func (v *Vault) Provision(ctx context.Context) error {
	_, _, ok, err := v.Table.Newest(ctx)
	if err != nil || ok {
		return err
	}
	return v.Rotate(ctx)
}

// Rotate makes a new key, which seals all that is written from now on.
func (v *Vault) Rotate(ctx context.Context) error {
	identity, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	parameters, err := aesgcmhkdf.NewParameters(aesgcmhkdf.ParametersOpts{
		KeySizeInBytes: keySize, DerivedKeySizeInBytes: keySize, HKDFHashType: aesgcmhkdf.SHA256, SegmentSizeInBytes: segment,
	})
	if err != nil {
		return fmt.Errorf("make a data key: %w", err)
	}
	manager := keyset.NewManager()
	number, err := manager.AddNewKeyFromParameters(parameters)
	if err == nil {
		err = manager.SetPrimary(number)
	}
	if err != nil {
		return fmt.Errorf("make a data key: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return fmt.Errorf("make a data key: %w", err)
	}
	id := uuid.NewString()
	var wrapped bytes.Buffer
	if err := handle.WriteWithContext(ctx, keyset.NewBinaryWriter(&wrapped), v.KMS, bound(identity.Tenant, id)); err != nil {
		return fmt.Errorf("wrap a data key: %w", err)
	}
	return v.Table.Add(ctx, id, base64.StdEncoding.EncodeToString(wrapped.Bytes()))
}

// Seal returns a reader of the sealed content, and the id of the key to open it with.
func (v *Vault) Seal(ctx context.Context, content io.Reader, object string) (io.Reader, string, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return nil, "", err
	}
	id, wrapped, ok, err := v.Table.Newest(ctx)
	if err != nil {
		return nil, "", err
	}
	if !ok {
		return nil, "", ErrUnprovisioned
	}
	handle, err := v.unwrap(ctx, identity.Tenant, id, wrapped)
	if err != nil {
		return nil, "", err
	}
	cipher, err := streamingaead.New(handle)
	if err != nil {
		return nil, "", fmt.Errorf("use a data key: %w", err)
	}
	s := &sealing{content: content}
	if s.cipher, err = cipher.NewEncryptingWriter(&s.sealed, bound(identity.Tenant, object)); err != nil {
		return nil, "", fmt.Errorf("seal a content: %w", err)
	}
	return s, id, nil
}

// Open returns a reader of what was sealed for the object; ErrSealed before a byte is read when nothing of it opens, and in the
// middle when it ends too early or was changed there.
func (v *Vault) Open(ctx context.Context, sealed io.Reader, key, object string) (io.Reader, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return nil, err
	}
	wrapped, ok, err := v.Table.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNoKey
	}
	handle, err := v.unwrap(ctx, identity.Tenant, key, wrapped)
	if err != nil {
		return nil, err
	}
	cipher, err := streamingaead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use a data key: %w", err)
	}
	o := &opening{sealed: &remembering{Reader: sealed}}
	if o.content, err = cipher.NewDecryptingReader(o.sealed, bound(identity.Tenant, object)); err != nil {
		return nil, fmt.Errorf("open a content: %w", err)
	}
	return o.begin()
}

func (v *Vault) unwrap(ctx context.Context, id tenant.ID, key, wrapped string) (*keyset.Handle, error) {
	data, err := base64.StdEncoding.DecodeString(wrapped)
	if err != nil {
		return nil, fmt.Errorf("read a data key: %w", err)
	}
	handle, err := keyset.ReadWithContext(ctx, keyset.NewBinaryReader(bytes.NewReader(data)), v.KMS, bound(id, key))
	if err != nil {
		return nil, fmt.Errorf("unwrap a data key: %w", err)
	}
	return handle, nil
}

// bound is what a sealed text is good for: one thing of one tenant.
func bound(id tenant.ID, what string) []byte {
	return append(append(binary.BigEndian.AppendUint64(nil, uint64(len(id))), id...), what...)
}
