// Package blobs keeps files of tenants in an object store.
//
// Two walls stand here. A file's key begins with a prefix of the tenant in the context, and its name is validated so
// that no part of it can climb out of that prefix; and every object carries its owner, which is compared before a byte is
// handed out. A foreign file looks exactly like one that does not exist.
//
// All that a tenant has lies under "tenants/<digest of the tenant>/": files/<depth>/<name>, versions/<digest of the
// name>/<id> and exports/<id>. Stores that stand on a file system cannot hold an object where another needs a folder. So
// the depth, which is the number of a name's segments, parts "a" from "a/b".
package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
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
	// Prefix that the keys of all files of a tenant begin with.
	Prefix func(id tenant.ID) string
	// VersionPrefix that the keys of all versions of a file begin with.
	VersionPrefix func(id tenant.ID, name string) string
	// Owns tells whether an object belongs to the tenant, by the owner that is written on it.
	Owns func(id tenant.ID, owner string) bool
}

// New returns a store with the good key and the owner check.
func New(client *minio.Client, bucket string) *Store {
	return &Store{
		Client: client, Bucket: bucket, Key: Key, Prefix: Prefix, VersionPrefix: VersionPrefix,
		Owns: func(id tenant.ID, owner string) bool { return owner == digest(id) },
	}
}

// Key is "tenants/<digest of the tenant>/files/<depth>/<name>".
func Key(id tenant.ID, name string) (string, error) {
	if err := validate(name); err != nil {
		return "", err
	}
	return Prefix(id) + strconv.Itoa(1+strings.Count(name, "/")) + "/" + name, nil
}

// nameOf is the name of the file that has a key below Prefix.
func nameOf(key string) string {
	depth, name, found := strings.Cut(key, "/")
	if _, err := strconv.Atoi(depth); !found || err != nil {
		return key
	}
	return name
}

// Prefix of the good keys of all files of a tenant.
func Prefix(id tenant.ID) string { return room(id) + "files/" }

// room is the prefix of all that a tenant has.
func room(id tenant.ID) string { return "tenants/" + digest(id) + "/" }

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

// Put writes a file, and keeps what was in it before as a version; size is -1 when it is not known.
//
// The content is first written as a version, which never changes, and then copied to where the file is read: of two
// writers at once one comes last, and the content of neither is lost.
func (s *Store) Put(ctx context.Context, name string, body io.Reader, size int64) error {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return err
	}
	version, err := newVersion()
	if err != nil {
		return err
	}
	kept := s.VersionPrefix(id, name) + version
	if err := s.write(ctx, id, kept, body, size); err != nil {
		return err
	}
	_, err = s.Client.CopyObject(ctx, minio.CopyDestOptions{Bucket: s.Bucket, Object: key}, minio.CopySrcOptions{Bucket: s.Bucket, Object: kept})
	if err != nil { // it never was the content of the file
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return errors.Join(fmt.Errorf("write a file: %w", err), s.remove(ctx, kept))
	}
	return nil
}

// Get opens a file; the caller closes it.
func (s *Store) Get(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	return s.open(ctx, id, key)
}

// Delete removes a file with all its versions. It goes last, so that a deletion that broke off can be repeated.
func (s *Store) Delete(ctx context.Context, name string) error {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return err
	}
	if err := s.owned(ctx, id, key); err != nil {
		return err
	}
	if err := s.removeAll(ctx, s.VersionPrefix(id, name)); err != nil {
		return err
	}
	return s.remove(ctx, key)
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
		if files = append(files, File{Path: nameOf(strings.TrimPrefix(o.Key, prefix)), Size: o.Size}); len(files) == limit {
			break
		}
	}
	return files, nil
}

// write makes an object that carries its owner.
func (s *Store) write(ctx context.Context, id tenant.ID, key string, body io.Reader, size int64) error {
	options := minio.PutObjectOptions{ContentType: "application/octet-stream", UserMetadata: map[string]string{ownerHeader: digest(id)}}
	if size < 0 {
		options.PartSize = 8 << 20 // as much memory as it takes
	}
	if _, err := s.Client.PutObject(ctx, s.Bucket, key, body, size, options); err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	return nil
}

// open reads an object after comparing its owner.
func (s *Store) open(ctx context.Context, id tenant.ID, key string) (io.ReadCloser, int64, error) {
	if err := s.owned(ctx, id, key); err != nil {
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

// owned compares the owner of an object.
func (s *Store) owned(ctx context.Context, id tenant.ID, key string) error {
	info, err := s.Client.StatObject(ctx, s.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return notFound(err)
	}
	if !s.Owns(id, info.UserMetadata[ownerHeader]) {
		return ErrNotFound
	}
	return nil
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

// Purge removes all that a tenant has. It names the tenant because it is a lifecycle call.
func (s *Store) Purge(ctx context.Context, id tenant.ID) error {
	return errors.Join(s.removeAll(ctx, s.Prefix(id)), s.removeAll(ctx, room(id)))
}

func (s *Store) removeAll(ctx context.Context, prefix string) error {
	ctx, cancel := context.WithCancel(ctx) // ends the listing when a removal fails
	defer cancel()
	for o := range s.Client.ListObjects(ctx, s.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("remove files: %w", o.Err)
		}
		if err := s.remove(ctx, o.Key); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key string) error {
	if err := s.Client.RemoveObject(ctx, s.Bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove a file: %w", err)
	}
	return nil
}
