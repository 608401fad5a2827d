package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference/tenant"
)

// Version is a content that a file has or had.
type Version struct {
	ID   string    `json:"id"` // cannot be guessed, and names a version of this file only
	Size int64     `json:"size"`
	At   time.Time `json:"at"`
}

// VersionPrefix is "tenants/<digest of the tenant>/versions/<digest of the name>/". A version that is looked for under
// another tenant or under another name is not there.
func VersionPrefix(id tenant.ID, name string) string {
	sum := sha256.Sum256([]byte(name))
	return room(id) + "versions/" + hex.EncodeToString(sum[:16]) + "/"
}

// newVersion draws an id; a later one sorts behind an earlier one.
func newVersion() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("draw the id of a version: %w", err)
	}
	return id.String(), nil
}

// Current is the version that a file holds now.
func (s *Store) Current(ctx context.Context, name string) (version string, err error) {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return "", err
	}
	info, err := s.owned(ctx, id, key)
	return info.UserMetadata[versionHeader], err
}

// GetVersion opens a content that a file has or had; the caller closes it.
func (s *Store) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, int64, error) {
	id, _, err := s.key(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	if u, err := uuid.Parse(version); err != nil || u.String() != version {
		return nil, 0, ErrNotFound // no such id was ever given out
	}
	return s.open(ctx, object{owner: id, key: s.VersionPrefix(id, name) + version, of: fileOf(name), version: version})
}

// Versions are all contents that a file has or had, newest first, at most limit. The first is what it holds now.
func (s *Store) Versions(ctx context.Context, name string, limit int) ([]Version, error) {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := s.owned(ctx, id, key); err != nil {
		return nil, err
	}
	sizeOf, err := s.sizes(ctx, id)
	if err != nil {
		return nil, err
	}
	versions := []Version{}
	prefix := s.VersionPrefix(id, name)
	for o := range s.Client.ListObjects(ctx, s.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, fmt.Errorf("list the versions of a file: %w", o.Err)
		}
		size, gone, err := sizeOf(o)
		if gone {
			continue
		}
		if err != nil {
			return nil, err
		}
		versions = append(versions, Version{ID: strings.TrimPrefix(o.Key, prefix), Size: size, At: o.LastModified})
	}
	// The listing has them by their ids, which is by their age; some stores list in no order.
	slices.SortFunc(versions, func(a, b Version) int { return strings.Compare(b.ID, a.ID) })
	return versions[:min(limit, len(versions))], nil
}
