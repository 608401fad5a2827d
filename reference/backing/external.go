package backing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/redis/go-redis/v9"
)

// The environment of the external backing. The Postgres user must be able to create databases and roles; the Redis
// database must be one that nobody else uses, for it is flushed.
const (
	EnvPostgres = "PARTYWALL_POSTGRES" // postgres://owner:password@host/postgres
	EnvRedis    = "PARTYWALL_REDIS"    // redis://host:6379/9
	EnvS3       = "PARTYWALL_S3"       // https://key:secret@host:9000
)

func openExternal(ctx context.Context) (*Engine, error) {
	for _, name := range []string{EnvPostgres, EnvRedis, EnvS3} {
		if os.Getenv(name) == "" {
			return nil, fmt.Errorf("%w: set %s, %s and %s (%s is empty)", ErrExternal, EnvPostgres, EnvRedis, EnvS3, name)
		}
	}
	e := &Engine{owner: os.Getenv(EnvPostgres)}
	cfg, err := pgx.ParseConfig(e.owner)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is no Postgres address", ErrExternal, EnvPostgres) // the cause would show the password
	}
	if err := e.execute(ctx, appRole); err != nil {
		return nil, err
	}
	// Several processes may share the server, and with it the role: all derive the same password.
	sum := sha256.Sum256([]byte("partywall app role\x00" + cfg.User + "\x00" + cfg.Password))
	password := hex.EncodeToString(sum[:])
	if err := e.execute(ctx, `alter role `+AppRole+` password '`+password+`'`); err != nil {
		return nil, errors.New("set the password of the role " + AppRole + ": the owner may not")
	}
	e.app = fmt.Sprintf("host=%s port=%d user=%s password=%s", cfg.Host, cfg.Port, AppRole, password)
	if cfg.TLSConfig == nil {
		e.app += " sslmode=disable"
	}
	options, err := redis.ParseURL(os.Getenv(EnvRedis))
	if err != nil {
		return nil, fmt.Errorf("%w: %s is no redis:// address", ErrExternal, EnvRedis)
	}
	e.newRedis = func(ctx context.Context) (*redis.Client, func(context.Context) error, error) {
		client := redis.NewClient(options)
		if err := client.Ping(ctx).Err(); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("reach the Redis at %s: %w", options.Addr, err), client.Close())
		}
		return client, func(ctx context.Context) error {
			return errors.Join(client.FlushDB(ctx).Err(), client.Close())
		}, nil
	}
	e.s3, err = externalS3(os.Getenv(EnvS3))
	return e, err
}

func externalS3(address string) (*minio.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User == nil {
		return nil, fmt.Errorf("%w: %s is no address of the form https://key:secret@host", ErrExternal, EnvS3)
	}
	secret, _ := u.User.Password()
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Secure: u.Scheme == "https", BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: make a client for %s: %w", ErrExternal, u.Host, err)
	}
	return client, nil
}
