package blobs

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference/tenant"
)

// ErrOwnKey means that a content cannot be had from the store itself.
var ErrOwnKey = errors.New("the file is sealed with a key of the tenant's own, and the store would hand out what nobody can read")

// Plain decides whose files lie as they are, under whatever encryption the store has at rest; all others are sealed with their tenant's
// own key. Every object says how it lies, so that a tenant that changes its tier still reads what it wrote before.
type Plain struct {
	// Tiers of those tenants.
	Tiers map[string]bool
	// Mark is a keyed digest. What says that it lies plain must bear it, or who can write into the bucket could put what they like in the
	// place of what is sealed.
	Mark func(texts ...string) string
}

// plainly begins what stands on an object in the place of the key that it was sealed with.
const plainly = "plain:"

func (p Plain) mark(o object) string { return plainly + p.Mark("plain", string(o.owner), o.place()) }

func isPlain(key string) bool { return strings.HasPrefix(key, plainly) }

// lies tells whether the files of the tenant in the context are to lie as they are.
func (s *Store) lies(ctx context.Context) bool {
	id, err := tenant.From(ctx)
	return err == nil && s.Plain.Tiers[id.Tier]
}

// seal makes what is to be stored of a content, says how long it is and what is written on it.
func (s *Store) seal(ctx context.Context, o object, body io.Reader, size int64) (io.Reader, string, int64, error) {
	if o.plain {
		return body, s.Plain.mark(o), size, nil
	}
	sealed, key, err := s.Cipher.Seal(ctx, body, o.place())
	if size >= 0 {
		size = s.Cipher.SealedSize(size)
	}
	return sealed, key, size, err
}

// unseal opens what was stored.
func (s *Store) unseal(ctx context.Context, o object, body io.Reader, key string) (io.Reader, error) {
	if !isPlain(key) {
		return s.Cipher.Open(ctx, body, key, o.place())
	}
	if !hmac.Equal([]byte(key), []byte(s.Plain.mark(o))) {
		return nil, ErrNotFound
	}
	return body, nil
}

// size of a content, by that of the object and by what is written on it.
func (s *Store) size(stored int64, key string) int64 {
	if isPlain(key) {
		return stored
	}
	return s.Cipher.OpenedSize(stored)
}

// sign is there once a tenant has a file that lies as it is: a listing does not tell how each of them lies.
func sign(id tenant.ID) string { return room(id) + "plain" }

func (s *Store) leaveSign(ctx context.Context, id tenant.ID) error {
	if _, err := s.Client.PutObject(ctx, s.Bucket, sign(id), strings.NewReader(""), 0, minio.PutObjectOptions{}); err != nil {
		return fmt.Errorf("note how a file lies: %w", err)
	}
	return nil
}

// sizes returns how the objects of a tenant are measured. gone means that one was removed meanwhile.
func (s *Store) sizes(ctx context.Context, id tenant.ID) (of func(o minio.ObjectInfo) (size int64, gone bool, err error), err error) {
	_, err = s.Client.StatObject(ctx, s.Bucket, sign(id), minio.StatObjectOptions{})
	if err = notFoundOr(err); errors.Is(err, ErrNotFound) {
		return func(o minio.ObjectInfo) (int64, bool, error) { return s.Cipher.OpenedSize(o.Size), false, nil }, nil
	}
	return func(o minio.ObjectInfo) (int64, bool, error) {
		info, err := s.Client.StatObject(ctx, s.Bucket, o.Key, minio.StatObjectOptions{})
		if err = notFoundOr(err); err != nil {
			return 0, errors.Is(err, ErrNotFound), err
		}
		return s.size(o.Size, info.UserMetadata[keyHeader]), false, nil
	}, err
}

func notFoundOr(err error) error {
	if err == nil {
		return nil
	}
	return notFound(err)
}

// MaxPresigned is how long a URL of the store lasts at most. Nothing takes it back before, but the deletion of the file.
const MaxPresigned = 5 * time.Minute

// Presign returns a URL by which the store itself hands out what a file holds now, and nothing else: the store's signature covers the
// method, the key, which begins with the tenant's own prefix, the expiry, and as what it is handed out. ErrOwnKey where the file
// is sealed. There is none for writing: what is put there would pass neither the quota nor the trail, and say nothing of its owner.
func (s *Store) Presign(ctx context.Context, name string, lasts time.Duration) (string, error) {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return "", err
	}
	info, err := s.owned(ctx, id, key)
	if err != nil {
		return "", err
	}
	o := object{owner: id, of: fileOf(name), version: info.UserMetadata[versionHeader]}
	if !s.lies(ctx) || info.UserMetadata[keyHeader] != s.Plain.mark(o) {
		return "", ErrOwnKey
	}
	as := url.Values{"response-content-type": {"application/octet-stream"}, "response-content-disposition": {"attachment"}}
	// The version, which never changes: what is written later under the name is not what was signed.
	signed, err := s.Client.PresignedGetObject(ctx, s.Bucket, s.VersionPrefix(id, name)+o.version, min(lasts, MaxPresigned), as)
	if err != nil {
		return "", fmt.Errorf("sign a URL of the store: %w", err)
	}
	return signed.String(), nil
}
