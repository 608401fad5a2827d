// Package blobs keeps files of tenants in an object store.
//
// Two walls stand here. A file's key begins with a prefix of the tenant in the context, and its name is validated so
// that no part of it can climb out of that prefix; and every object carries its owner, which is compared before a byte is
// handed out. A foreign file looks exactly like one that does not exist.
package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference/tenant"
)

// Errors of this package.
var (
	ErrNotFound = errors.New("no such file") // also for what belongs to another tenant
	ErrName     = errors.New("a file name is made of 1 to 512 bytes of printable UTF-8, in segments that are not empty, '.' or '..'")
)

// File is what a listing tells of a file.
type File struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// Store of the tenant in the context.
type Store struct {
	Client *minio.Client
	Bucket string
	// Key builds the key of a file for a tenant.
	Key func(id tenant.ID, name string) (string, error)
	// Prefix that all keys of a tenant begin with.
	Prefix func(id tenant.ID) string
	// Owns tells whether an object belongs to the tenant, by the owner that is written on it.
	Owns func(id tenant.ID, owner string) bool
}

// New returns a store with the good key and the owner check.
func New(client *minio.Client, bucket string) *Store {
	return &Store{
		Client: client, Bucket: bucket, Key: Key, Prefix: Prefix,
		Owns: func(id tenant.ID, owner string) bool { return owner == digest(id) },
	}
}

// Key is "tenants/<digest of the tenant>/<name>".
func Key(id tenant.ID, name string) (string, error) {
	if err := validate(name); err != nil {
		return "", err
	}
	return Prefix(id) + name, nil
}

// Prefix of all good keys of a tenant.
func Prefix(id tenant.ID) string { return "tenants/" + digest(id) + "/" }

func digest(id tenant.ID) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

func validate(name string) error {
	if name == "" || len(name) > 512 || !utf8.ValidString(name) || strings.ContainsAny(name, `\%`) {
		return ErrName
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return ErrName
		}
	}
	for _, segment := range strings.Split(name, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return ErrName
		}
	}
	return nil
}

const ownerHeader = "Partywall-Owner"

// Put writes a file; size is -1 when it is not known.
func (s *Store) Put(ctx context.Context, name string, body io.Reader, size int64) error {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return err
	}
	_, err = s.Client.PutObject(ctx, s.Bucket, key, body, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", UserMetadata: map[string]string{ownerHeader: digest(id)},
	})
	if err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	return nil
}

// Get opens a file; the caller closes it.
func (s *Store) Get(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	key, err := s.owned(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	object, err := s.Client.GetObject(ctx, s.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, fmt.Errorf("read a file: %w", err)
	}
	info, err := object.Stat()
	if err != nil {
		_ = object.Close()
		return nil, 0, notFound(err)
	}
	return object, info.Size, nil
}

// Delete removes a file.
func (s *Store) Delete(ctx context.Context, name string) error {
	key, err := s.owned(ctx, name)
	if err != nil {
		return err
	}
	if err := s.Client.RemoveObject(ctx, s.Bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("delete a file: %w", err)
	}
	return nil
}

// List returns the files of the tenant, at most limit.
func (s *Store) List(ctx context.Context, limit int) ([]File, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return nil, err
	}
	files := []File{}
	prefix := s.Prefix(identity.Tenant)
	ctx, cancel := context.WithCancel(ctx) // ends the listing when the limit is reached
	defer cancel()
	for o := range s.Client.ListObjects(ctx, s.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, fmt.Errorf("list files: %w", o.Err)
		}
		if files = append(files, File{Path: strings.TrimPrefix(o.Key, prefix), Size: o.Size}); len(files) == limit {
			break
		}
	}
	return files, nil
}

// owned returns the key of a file after comparing its owner.
func (s *Store) owned(ctx context.Context, name string) (string, error) {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return "", err
	}
	info, err := s.Client.StatObject(ctx, s.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return "", notFound(err)
	}
	if !s.Owns(id, info.UserMetadata[ownerHeader]) {
		return "", ErrNotFound
	}
	return key, nil
}

func (s *Store) key(ctx context.Context, name string) (tenant.ID, string, error) {
	identity, err := tenant.From(ctx)
	if err != nil {
		return "", "", err
	}
	key, err := s.Key(identity.Tenant, name)
	return identity.Tenant, key, err
}

func notFound(err error) error {
	if code := minio.ToErrorResponse(err).Code; code == "NoSuchKey" || code == "NotFound" {
		return ErrNotFound
	}
	return fmt.Errorf("reach a file: %w", err)
}

// Purge removes every file of a tenant. It names the tenant because it is a lifecycle call.
func (s *Store) Purge(ctx context.Context, id tenant.ID) error {
	for o := range s.Client.ListObjects(ctx, s.Bucket, minio.ListObjectsOptions{Prefix: s.Prefix(id), Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("purge files: %w", o.Err)
		}
		if err := s.Client.RemoveObject(ctx, s.Bucket, o.Key, minio.RemoveObjectOptions{}); err != nil {
			return fmt.Errorf("purge files: %w", err)
		}
	}
	return nil
}
