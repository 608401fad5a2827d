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
// database must be one that nobody else uses, for it is flushed. The pooler is optional.
const (
	EnvPostgres = "PARTYWALL_POSTGRES" // postgres://owner:password@host/postgres
	EnvPooler   = "PARTYWALL_POOLER"   // postgres://host:6432
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
	if _, err := pgx.ParseConfig(e.owner); err != nil {
		return nil, fmt.Errorf("%w: %s is no Postgres address", ErrExternal, EnvPostgres) // the cause would show the password
	}
	if err := e.makeApp(ctx); err != nil {
		return nil, err
	}
	if err := e.throughPooler(); err != nil {
		return nil, err
	}
	options, err := redis.ParseURL(os.Getenv(EnvRedis))
	if err != nil {
		return nil, fmt.Errorf("%w: %s is no redis:// address", ErrExternal, EnvRedis)
	}
	e.newRedis = func(ctx context.Context) (*redis.Client, func(context.Context) error, error) {
		client := redis.NewClient(bounded(options))
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

// makeApp makes the application's role on the owner's server, and gives it a password. Several processes may share the
// server, and with it the role: all derive the same password.
func (e *Engine) makeApp(ctx context.Context) error {
	cfg, err := pgx.ParseConfig(e.owner)
	if err != nil {
		return errors.New("the owner's Postgres address cannot be read")
	}
	if err := e.execute(ctx, appRole); err != nil {
		return err
	}
	if err := e.harmless(ctx); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte("partywall app role\x00" + cfg.User + "\x00" + cfg.Password))
	password := hex.EncodeToString(sum[:])
	if err := e.execute(ctx, `alter role `+AppRole+` password '`+password+`'`); err != nil {
		return errors.New("set the password of the role " + AppRole + ": the owner may not") // the cause would show it
	}
	e.app = fmt.Sprintf("host=%s port=%d user=%s password=%s", cfg.Host, cfg.Port, AppRole, password)
	if cfg.TLSConfig == nil {
		e.app += " sslmode=disable"
	}
	return nil
}

// harmless refuses a server on which the application's role was there already and may do more than it should: no wall would stand behind
// the statements then.
func (e *Engine) harmless(ctx context.Context) error {
	conn, err := connect(ctx, e.owner, "postgres")
	if err != nil {
		return err
	}
	var mighty string
	err = conn.QueryRow(ctx, `select coalesce(string_agg(rolname, ', '), '') from pg_roles
		where pg_has_role($1, oid, 'member') and (rolsuper or rolbypassrls or rolcreaterole or rolname = current_user)`, AppRole).Scan(&mighty)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("look at the role %s: %w", AppRole, err)
	}
	if mighty != "" {
		return fmt.Errorf("%w: the role %s acts as %s, which is a superuser, makes roles, owns the databases or is above row-level security; "+
			"take that from it, or name another server in %s", ErrRole, AppRole, mighty, EnvPostgres)
	}
	return nil
}

// throughPooler sends the application's connections to the pooler, if there is one.
func (e *Engine) throughPooler() error {
	address := os.Getenv(EnvPooler)
	if address == "" {
		return nil
	}
	pooler, err := pgx.ParseConfig(address)
	if err != nil {
		return fmt.Errorf("%w: %s is no Postgres address", ErrExternal, EnvPooler)
	}
	app, err := pgx.ParseConfig(e.app)
	if err != nil {
		return errors.New("the application's Postgres address cannot be read") // the cause would show the password
	}
	e.app = fmt.Sprintf("host=%s port=%d user=%s password=%s default_query_exec_mode=exec", pooler.Host, pooler.Port, AppRole, app.Password)
	if pooler.TLSConfig == nil {
		e.app += " sslmode=disable"
	}
	return nil
}

func externalS3(address string) (*minio.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User == nil {
		return nil, fmt.Errorf("%w: %s is no address of the form https://key:secret@host", ErrExternal, EnvS3)
	}
	secret, _ := u.User.Password()
	secure := u.Scheme == "https"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, fmt.Errorf("%w: make a transport for %s: %w", ErrExternal, u.Host, err)
	}
	transport.DialContext = reach
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Secure: secure, BucketLookup: minio.BucketLookupPath,
		Transport: transport, MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: make a client for %s: %w", ErrExternal, u.Host, err)
	}
	return client, nil
}
