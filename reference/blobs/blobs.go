// Package blobs keeps files of tenants in an object store.
//
// Three walls stand here. A file's key begins with a prefix of the tenant in the context, and its name is validated, never mended,
// so that no part of it can climb out of that prefix. Every object carries its owner, which is compared before a byte of
// it is read. And every content is sealed by a [Cipher] for its tenant, its name and its version: what lies where it does not belong
// does not open; the files of some tiers alone lie [Plain]. A foreign file looks exactly like one that does not exist.
//
// Contents are streamed both ways, a segment at a time, and an upload that breaks off leaves nothing that could be read.
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
	// Owned refuses an object that does not belong to the tenant, by the owner that is written on it.
	Owned func(id tenant.ID, owner string) error
	// Cipher seals what is stored, but for what lies plain.
	Cipher Cipher
	Plain  Plain
}

// A Cipher seals contents of the tenant in the context, each for one object.
type Cipher interface {
	// Seal returns the sealed content, and the id of the key that Open needs.
	Seal(ctx context.Context, content io.Reader, object string) (sealed io.Reader, key string, err error)
	Open(ctx context.Context, sealed io.Reader, key, object string) (content io.Reader, err error)
	// SealedSize and OpenedSize tell one size from the other.
	SealedSize(size int64) int64
	OpenedSize(sealed int64) int64
}

// New returns a store with the good key and the owner check.
func New(client *minio.Client, bucket string, cipher Cipher) *Store {
	return &Store{
		Client: client, Bucket: bucket, Key: Key, Prefix: Prefix, VersionPrefix: VersionPrefix, Cipher: cipher, Owned: Owned,
	}
}

// Owned is the good check: a foreign object is one that does not exist.
func Owned(id tenant.ID, owner string) error {
	if owner != digest(id) {
		return ErrNotFound
	}
	return nil
}

// Key is "tenants/<digest of the tenant>/files/<depth>/<name>".
func Key(id tenant.ID, name string) (string, error) {
	if err := Valid(name); err != nil {
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
	return hex.EncodeToString(sum[:16])
}

// Valid refuses what can be no name of a file.
func Valid(name string) error {
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

// What is written on an object. A copy that the store makes keeps it.
const (
	ownerHeader   = "Partywall-Owner"
	keyHeader     = "Partywall-Key"     // what it was sealed with
	versionHeader = "Partywall-Version" // of a file
)

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
	plain := s.lies(ctx)
	if plain {
		if err := s.leaveSign(ctx, id); err != nil {
			return err
		}
	}
	if err := s.write(ctx, object{owner: id, key: kept, of: fileOf(name), version: version, plain: plain}, body, size); err != nil {
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
	return s.open(ctx, object{owner: id, key: key, of: fileOf(name)})
}

// Delete removes a file with all its versions. It goes last, so that a deletion that broke off can be repeated.
func (s *Store) Delete(ctx context.Context, name string) error {
	id, key, err := s.key(ctx, name)
	if err != nil {
		return err
	}
	if _, err := s.owned(ctx, id, key); err != nil {
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
	sizeOf, err := s.sizes(ctx, identity.Tenant)
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
		size, gone, err := sizeOf(o)
		if gone {
			continue
		}
		if err != nil {
			return nil, err
		}
		if files = append(files, File{Path: nameOf(strings.TrimPrefix(o.Key, prefix)), Size: size}); len(files) == limit {
			break
		}
	}
	return files, nil
}

// An object in the bucket.
type object struct {
	owner tenant.ID
	key   string
	// of is what it is a content of, version which of its contents. When it is read, none means the one that it says to be.
	of, version string
	// plain: it is written as it is.
	plain bool
}

func fileOf(name string) string { return "files/" + name }

// place is what a content is sealed for. A version has no slash in it.
func (o object) place() string { return o.version + "/" + o.of }

// write makes an object that carries its owner.
func (s *Store) write(ctx context.Context, o object, body io.Reader, size int64) error {
	stored, key, size, err := s.seal(ctx, o, body, size)
	if err != nil {
		return err
	}
	options := minio.PutObjectOptions{ContentType: "application/octet-stream", UserMetadata: map[string]string{
		ownerHeader: digest(o.owner), keyHeader: key, versionHeader: o.version,
	}}
	if size < 0 {
		options.PartSize = 8 << 20 // as much memory as it takes
	}
	if _, err := s.Client.PutObject(ctx, s.Bucket, o.key, stored, size, options); err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	return nil
}

// open reads an object after comparing its owner, which comes with the same answer: there is no moment in between.
func (s *Store) open(ctx context.Context, o object) (io.ReadCloser, int64, error) {
	body, info, _, err := minio.Core{Client: s.Client}.GetObject(ctx, s.Bucket, o.key, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, notFound(err)
	}
	if err = s.Owned(o.owner, info.UserMetadata[ownerHeader]); err == nil {
		if o.version == "" {
			o.version = info.UserMetadata[versionHeader]
		}
		var content io.Reader
		key := info.UserMetadata[keyHeader]
		if content, err = s.unseal(ctx, o, body, key); err == nil {
			return opened{content, body}, s.size(info.Size, key), nil
		}
	}
	_ = body.Close()
	return nil, 0, err
}

// opened is a content with what is to be closed after it.
type opened struct {
	io.Reader
	io.Closer
}

// owned compares the owner of an object.
func (s *Store) owned(ctx context.Context, id tenant.ID, key string) (minio.ObjectInfo, error) {
	info, err := s.Client.StatObject(ctx, s.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return minio.ObjectInfo{}, notFound(err)
	}
	return info, s.Owned(id, info.UserMetadata[ownerHeader])
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

// removeAll removes what lies below a prefix, a thousand objects with each request.
func (s *Store) removeAll(ctx context.Context, prefix string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var listing error
	found := make(chan minio.ObjectInfo)
	go func() {
		defer close(found)
		for o := range s.Client.ListObjects(ctx, s.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if o.Err != nil {
				listing = o.Err
				return
			}
			select {
			case found <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	var errs []error
	for r := range s.Client.RemoveObjects(ctx, s.Bucket, found, minio.RemoveObjectsOptions{}) { // it ends after the listing
		errs = append(errs, r.Err)
	}
	if err := errors.Join(append(errs, listing, ctx.Err())...); err != nil {
		return fmt.Errorf("remove files: %w", err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key string) error {
	if err := s.Client.RemoveObject(ctx, s.Bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove a file: %w", err)
	}
	return nil
}
