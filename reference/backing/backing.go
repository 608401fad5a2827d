// Package backing says where the reference service's Postgres, Redis and S3 come from.
//
// Three kinds exist. "embedded" needs no container: a real Postgres, started from binaries found on the machine or else
// downloaded, and in-process engines for Redis and S3. "containers" starts one real Postgres, Redis and S3 in containers
// on this machine (see [EnvImagePostgres] and its neighbours). "external" takes engines that run already, from the
// environment (see [EnvPostgres] and its neighbours). One [Engine] serves many services: each gets a fresh database, cloned
// from a template, a Redis of its own (of a Redis in a container: a numbered database) and a bucket of its own.
//
// An external Postgres may stand behind a pooler of transactions (pgbouncer with pool_mode = transaction): [EnvPooler] names it,
// and all connections of the application's role go through it. It must let that role in to every database. What the role sends
// is parsed where it runs (pgx.QueryExecModeExec), for a statement prepared in one transaction is unknown in the next. The
// owner's connections never go there: the pooler would hold on to a template that is to be copied.
//
// What an embedded Engine starts ends with the process that opened it, however that process ends. Containers end with
// [Engine.Close]. Those of a process that was killed carry its identity in a label, and the next process that opens an
// Engine of the kind removes them; testcontainers' reaper, where it is not switched off, does so earlier.
package backing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/minio/minio-go/v7"
	"github.com/redis/go-redis/v9"
)

// Errors that tell a user what to do.
var (
	ErrKind     = errors.New("unknown backing")
	ErrPostgres = errors.New("no Postgres to be had")
	ErrExternal = errors.New("the external backing is not configured")
	ErrEngine   = errors.New("no container engine answers")
	ErrImage    = errors.New("an image is missing")
	ErrRole     = errors.New("the application would be above the walls between tenants")
)

// reachWithin is how long connecting to an engine may take.
const reachWithin = 3 * time.Second

// statementTimeout is how long the application's statements may take. Who asked has gone by then; the server does not notice that.
const statementTimeout = "15s"

// AppRole is the database role of the application: it owns nothing and bypasses no policy.
const AppRole = "partywall_app"

// Kinds of backing.
func Kinds() []string { return []string{"embedded", "containers", "external"} }

// Engine is a running Postgres with a Redis and an S3 beside it.
type Engine struct {
	kind     string
	owner    string // DSN of the owner of all databases, without a database
	app      string // DSN of the application's role, without a database
	newRedis func(ctx context.Context) (*redis.Client, func(context.Context) error, error)
	s3       *minio.Client
	stop     []func() error // in the order in which it was started

	mu        sync.Mutex
	templates map[string]string // name to database
}

// Template is how the database of a service looks when it is fresh.
type Template struct {
	Name    string // of the template, for example the strategy
	Migrate string // SQL that the owner runs once
}

// Service is what one reference service stands on.
type Service struct {
	Owner *pgxpool.Pool // the database as its owner: migrations and faults
	App   *pgxpool.Pool // the database as the application sees it
	Redis *redis.Client
	S3    *minio.Client
	// Bucket is fresh and empty.
	Bucket string

	engine   *Engine
	database string
	unredis  func(context.Context) error

	closers []func() // before the databases go

	mu     sync.Mutex
	beside map[string]string // databases beside the shared one: name to name in the engine
}

// Open starts or reaches the engines of a kind.
func Open(ctx context.Context, kind string) (*Engine, error) {
	var e *Engine
	var err error
	switch kind {
	case "embedded":
		e, err = openEmbedded(ctx)
	case "containers":
		e, err = openContainers(ctx)
	case "external":
		e, err = openExternal(ctx)
	default:
		return nil, fmt.Errorf("%w %q: use one of %s", ErrKind, kind, strings.Join(Kinds(), ", "))
	}
	if err != nil {
		return nil, err
	}
	e.kind, e.templates = kind, map[string]string{}
	return e, nil
}

// Kind of the engine.
func (e *Engine) Kind() string { return e.kind }

// Close ends what the engine started, last first, and drops its template databases.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, database := range e.templates {
		if err := e.execute(context.Background(), `drop database if exists `+database); err != nil && e.kind == "external" {
			errs = append(errs, err)
		}
	}
	e.templates = map[string]string{}
	for i := len(e.stop) - 1; i >= 0; i-- {
		errs = append(errs, e.stop[i]())
	}
	e.stop = nil
	return errors.Join(errs...)
}

// Service makes a fresh database from the template, a Redis and a bucket.
func (e *Engine) Service(ctx context.Context, t Template) (_ *Service, err error) {
	s := &Service{engine: e, S3: e.s3}
	defer func() {
		if err != nil {
			_ = s.Close(context.WithoutCancel(ctx)) // the first error is the one to tell
		}
	}()
	if s.database, err = e.clone(ctx, t); err != nil {
		return nil, err
	}
	if s.Owner, err = pool(ctx, e.owner, s.database, 2); err != nil {
		return nil, err
	}
	if s.App, err = pool(ctx, e.app, s.database, 16); err != nil {
		return nil, err
	}
	if s.Redis, s.unredis, err = e.newRedis(ctx); err != nil {
		return nil, err
	}
	bucket := strings.ReplaceAll(s.database, "_", "-")
	if err = e.s3.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err != nil {
		return nil, fmt.Errorf("make the bucket %s: %w", bucket, err)
	}
	s.Bucket = bucket
	return s, nil
}

// OnClose has something closed before the databases are dropped: what stands on the service. The last comes first.
func (s *Service) OnClose(closer func()) { s.closers = append(s.closers, closer) }

// Close removes the databases, the keys and the bucket.
func (s *Service) Close(ctx context.Context) error {
	var errs []error
	for _, closer := range slices.Backward(s.closers) {
		closer()
	}
	for _, p := range []*pgxpool.Pool{s.App, s.Owner} {
		if p != nil {
			p.Close()
		}
	}
	for _, name := range slices.Collect(maps.Keys(s.beside)) {
		errs = append(errs, s.Drop(ctx, name))
	}
	if s.database != "" {
		errs = append(errs, s.engine.execute(ctx, `drop database if exists `+s.database+` with (force)`))
	}
	if s.unredis != nil {
		errs = append(errs, s.unredis(ctx))
	}
	if s.Bucket != "" {
		errs = append(errs, s.emptyBucket(ctx))
	}
	return errors.Join(errs...)
}

func (s *Service) emptyBucket(ctx context.Context) error {
	for o := range s.S3.ListObjects(ctx, s.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("list the bucket %s: %w", s.Bucket, o.Err)
		}
		if err := s.S3.RemoveObject(ctx, s.Bucket, o.Key, minio.RemoveObjectOptions{}); err != nil {
			return fmt.Errorf("empty the bucket %s: %w", s.Bucket, err)
		}
	}
	if err := s.S3.RemoveBucket(ctx, s.Bucket); err != nil {
		return fmt.Errorf("remove the bucket %s: %w", s.Bucket, err)
	}
	return nil
}

// clone makes a database from the template; the template itself is made at its first use. Postgres refuses to copy a
// database somebody is connected to, hence the lock.
func (e *Engine) clone(ctx context.Context, t Template) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := t.Name + "\x00" + t.Migrate
	template := e.templates[key]
	if template == "" {
		template = randomName("partywall_template_")
		err := e.execute(ctx, `create database `+template)
		if err == nil {
			if err = e.migrate(ctx, template, t.Migrate); err != nil {
				err = fmt.Errorf("migrate the template %s: %w", t.Name, err)
			}
		}
		if err != nil {
			return "", errors.Join(err, e.undo(ctx, template))
		}
		e.templates[key] = template
	}
	database := randomName("partywall_")
	err := e.execute(ctx, `create database `+database+` template `+template)
	if err == nil {
		err = e.execute(ctx, `alter role `+AppRole+` in database `+database+` set statement_timeout = '`+statementTimeout+`'`)
	}
	if err != nil {
		return "", errors.Join(err, e.undo(ctx, database))
	}
	return database, nil
}

// undo drops a database that was not finished. A request to make one that was broken off may have been carried out.
func (e *Engine) undo(ctx context.Context, database string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return e.execute(ctx, `drop database if exists `+database+` with (force)`)
}

func (e *Engine) migrate(ctx context.Context, database, sql string) error {
	conn, err := connect(ctx, e.owner, database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// execute runs one statement as the owner, outside of any service's database.
func (e *Engine) execute(ctx context.Context, sql string) error {
	conn, err := connect(ctx, e.owner, "postgres")
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	if err != nil {
		err = fmt.Errorf("%s: %w", sql, err)
	}
	return errors.Join(err, conn.Close(ctx))
}

func connect(ctx context.Context, dsn, database string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the Postgres address: %w", err)
	}
	cfg.Database, cfg.ConnectTimeout = database, reachWithin
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%w: connect as %s: %w", ErrPostgres, cfg.User, err)
	}
	return conn, nil
}

func pool(ctx context.Context, dsn, database string, size int32) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the Postgres address: %w", err)
	}
	cfg.ConnConfig.Database = database
	cfg.MaxConns = size
	cfg.ConnConfig.ConnectTimeout = reachWithin
	p, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPostgres, err)
	}
	return p, nil
}

// appRole makes the application's role if it is not there yet. Two processes may try at the same moment.
const appRole = `do $$ begin
	if not exists (select from pg_roles where rolname = '` + AppRole + `') then
		create role ` + AppRole + ` login nosuperuser nobypassrls nocreatedb nocreaterole;
	end if;
exception when duplicate_object or unique_violation then null;
end $$`

func randomName(prefix string) string { return prefix + strings.ToLower(rand.Text()[:16]) }
