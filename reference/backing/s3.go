package backing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

// memory mends one thing in the in-memory store: a listing with an empty delimiter, which minio-go sends to list
// recursively, means "no delimiter".
type memory struct{ *s3mem.Backend }

func (m memory) ListBucket(ctx context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	if prefix != nil && prefix.Delimiter == "" {
		prefix.HasDelimiter = false
	}
	return m.Backend.ListBucket(ctx, name, prefix, page)
}

// s3Tries is how often a request is sent to an object store that fails.
const s3Tries = 2

// reach dials an object store.
var reach = (&net.Dialer{Timeout: reachWithin, KeepAlive: 30 * time.Second}).DialContext

// s3Transport reaches an object store on this machine.
func s3Transport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second, DialContext: reach}
}

// startS3 serves an in-memory object store on loopback. It verifies signatures: a request that is not signed with the
// keys made here is refused.
func startS3() (*minio.Client, func() error, error) {
	key, secret := rand.Text(), rand.Text()
	fake := gofakes3.New(memory{s3mem.New()}, gofakes3.WithV4Auth(map[string]string{key: secret}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen for the in-process S3: %w", err)
	}
	server := &http.Server{Handler: fake.Server(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	stop := func() error {
		err := server.Close()
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}
	client, err := minio.New(listener.Addr().String(), &minio.Options{
		Creds: credentials.NewStaticV4(key, secret, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath,
		Transport: s3Transport(), MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a client for the in-process S3: %w", err), stop())
	}
	return client, stop, nil
}
