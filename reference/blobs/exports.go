package blobs

import (
	"context"
	"io"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference/tenant"
)

// WriteExport keeps the content of an export and returns its size.
func (s *Store) WriteExport(ctx context.Context, export string, body io.Reader) (int64, error) {
	id, key, err := exportKey(ctx, export)
	if err != nil {
		return 0, err
	}
	if err := s.write(ctx, object{owner: id, key: key, of: "exports/" + export}, body, -1); err != nil {
		return 0, err
	}
	info, err := s.Client.StatObject(ctx, s.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return 0, notFound(err)
	}
	return s.Cipher.OpenedSize(info.Size), nil
}

// ReadExport opens the content of an export; the caller closes it.
func (s *Store) ReadExport(ctx context.Context, export string) (io.ReadCloser, int64, error) {
	id, key, err := exportKey(ctx, export)
	if err != nil {
		return nil, 0, err
	}
	return s.open(ctx, object{owner: id, key: key, of: "exports/" + export})
}

// RemoveExport removes the content of an export, if there is one.
func (s *Store) RemoveExport(ctx context.Context, export string) error {
	_, key, err := exportKey(ctx, export)
	if err != nil {
		return err
	}
	return s.remove(ctx, key)
}

// exportKey is "tenants/<digest of the tenant>/exports/<id>".
func exportKey(ctx context.Context, export string) (tenant.ID, string, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return "", "", err
	}
	if u, err := uuid.Parse(export); err != nil || u.String() != export {
		return "", "", ErrNotFound // no such id was ever given out
	}
	return identity.Tenant, room(identity.Tenant) + "exports/" + export, nil
}
