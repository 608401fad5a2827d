package backing_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/backing/backingtest"
)

var template = backing.Template{Name: "test", Migrate: `create table t (v text); insert into t values ('one');
	grant select, insert on t to ` + backing.AppRole}

// TestServicesAreFresh: what one service writes, no other sees.
func TestServicesAreFresh(t *testing.T) {
	for range 2 {
		s := backingtest.Service(t, template)
		ctx := t.Context()
		var n int
		if err := s.App.QueryRow(ctx, `select count(*) from t`).Scan(&n); err != nil || n != 1 {
			t.Fatalf("a fresh database holds %d rows, %v", n, err)
		}
		if _, err := s.App.Exec(ctx, `insert into t values ('two')`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.App.Exec(ctx, `drop table t`); err == nil {
			t.Error("the application's role may drop tables")
		}
		if n, err := s.Redis.Incr(ctx, "n").Result(); err != nil || n != 1 {
			t.Errorf("a fresh Redis counts from %d, %v", n, err)
		}
		for _, key := range []string{"tenants/a/x", "tenants/a/y/z", "tenants/b/x"} {
			if _, err := s.S3.PutObject(ctx, s.Bucket, key, strings.NewReader(key), int64(len(key)), minio.PutObjectOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		var keys []string
		for o := range s.S3.ListObjects(ctx, s.Bucket, minio.ListObjectsOptions{Prefix: "tenants/a/", Recursive: true}) {
			keys = append(keys, o.Key)
		}
		if strings.Join(keys, " ") != "tenants/a/x tenants/a/y/z" {
			t.Errorf("a recursive listing holds %q", keys)
		}
	}
}

// TestCloseLeavesTheNeighbour: a service that is closed takes its database, keys and bucket along, and nothing else.
func TestCloseLeavesTheNeighbour(t *testing.T) {
	ctx := t.Context()
	stays := backingtest.Service(t, template)
	goes, err := backingtest.Engine(t).Service(ctx, template)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*backing.Service{stays, goes} {
		if err := s.Create(ctx, "room", `create table r ()`); err != nil {
			t.Fatal(err)
		}
		if err := s.Redis.MSet(ctx, "a", 1, "b", 2).Err(); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"x", "deep/er/x", "deep/er/y"} {
			if _, err := s.S3.PutObject(ctx, s.Bucket, key, strings.NewReader(key), int64(len(key)), minio.PutObjectOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := (minio.Core{Client: s.S3}).NewMultipartUpload(ctx, s.Bucket, "begun", minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	database, keys := goes.Owner.Config().ConnConfig.Database, goes.Redis.Options()
	if err := goes.Close(ctx); err != nil {
		t.Fatal(err)
	}
	databases := 0
	err = stays.Owner.QueryRow(ctx, `select count(*) from pg_database where datname = $1`, database).Scan(&databases)
	if err != nil || databases != 0 {
		t.Errorf("%d databases are left, %v", databases, err)
	}
	again := redis.NewClient(keys)
	defer func() { _ = again.Close() }()
	if n, err := again.DBSize(ctx).Result(); err == nil && n != 0 { // an in-process Redis is gone, and answers nothing
		t.Errorf("%d keys are left", n)
	}
	if there, err := stays.S3.BucketExists(ctx, goes.Bucket); err != nil || there {
		t.Errorf("the bucket is left: %v, %v", there, err)
	}
	if n, err := stays.Redis.DBSize(ctx).Result(); err != nil || n != 2 {
		t.Errorf("the neighbour has %d keys, %v", n, err)
	}
	if _, err := stays.S3.StatObject(ctx, stays.Bucket, "deep/er/x", minio.StatObjectOptions{}); err != nil {
		t.Errorf("the neighbour's file: %v", err)
	}
	room, err := stays.Open(ctx, "room")
	if err != nil {
		t.Fatal(err)
	}
	defer room.Close()
	if err := room.Ping(ctx); err != nil {
		t.Errorf("the neighbour's room: %v", err)
	}
}

// TestUnsignedS3IsRefused: the store verifies signatures.
func TestUnsignedS3IsRefused(t *testing.T) {
	s := backingtest.Service(t, template)
	r, err := http.Get(s.S3.EndpointURL().String() + "/" + s.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned listing answers %d", r.StatusCode)
	}
}

// until asks whether something has come about, fifty times a second, until it has.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for hang := time.After(time.Minute); !so(); {
		select {
		case <-poll.C:
		case <-hang:
			t.Fatalf("never: %s", what)
		}
	}
}

func TestRedisExpires(t *testing.T) {
	s := backingtest.Service(t, template)
	if err := s.Redis.Set(t.Context(), "k", "v", 300*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, "the key expires", func() bool { return s.Redis.Exists(t.Context(), "k").Val() == 0 })
}

// lend names the engines of a service to the external backing.
func lend(t *testing.T, s *backing.Service) {
	t.Helper()
	owner := s.Owner.Config().ConnConfig
	t.Setenv(backing.EnvPostgres, fmt.Sprintf("host=%s port=%d user=%s password='%s' sslmode=disable", owner.Host, owner.Port, owner.User, owner.Password))
	t.Setenv(backing.EnvRedis, "redis://:"+s.Redis.Options().Password+"@"+s.Redis.Options().Addr+"/1023") // the last is taken last
	keys, err := s.S3.GetCreds()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(backing.EnvS3, "http://"+keys.AccessKeyID+":"+keys.SecretAccessKey+"@"+s.S3.EndpointURL().Host)
}

func TestExternal(t *testing.T) {
	if _, err := backing.Open(t.Context(), "external"); !errors.Is(err, backing.ErrExternal) {
		t.Errorf("without an environment: %v", err)
	}
	lend(t, backingtest.Service(t, template))
	e, err := backing.Open(t.Context(), "external")
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Service(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	var name string
	if err := s.App.QueryRow(t.Context(), `select current_user`).Scan(&name); err != nil || name != backing.AppRole {
		t.Errorf("the application is %q, %v", name, err)
	}
	if err := errors.Join(s.Close(t.Context()), e.Close()); err != nil {
		t.Error(err)
	}
}

// TestMightyRole: a server on which the application's role is above the walls is refused, and its password stays what it is.
func TestMightyRole(t *testing.T) {
	base := backingtest.Service(t, template)
	lend(t, base)
	run := func(sql string) {
		t.Helper()
		if _, err := base.Owner.Exec(context.WithoutCancel(t.Context()), sql); err != nil {
			t.Error(err)
		}
	}
	password := func() (hash string) {
		if err := base.Owner.QueryRow(t.Context(), `select coalesce(rolpassword, '') from pg_authid where rolname = $1`, backing.AppRole).Scan(&hash); err != nil {
			t.Fatal(err)
		}
		return hash
	}
	before := password()
	run(`create role partywall_mighty nologin bypassrls; create role partywall_between nologin; grant partywall_mighty to partywall_between`)
	defer run(`drop role partywall_between; drop role partywall_mighty`)
	for give, take := range map[string]string{
		`alter role partywall_app superuser`:           `alter role partywall_app nosuperuser`,
		`alter role partywall_app bypassrls`:           `alter role partywall_app nobypassrls`,
		`alter role partywall_app createrole`:          `alter role partywall_app nocreaterole`,
		`grant partywall_mighty to partywall_app`:      `revoke partywall_mighty from partywall_app`,
		`grant partywall_between to partywall_app`:     `revoke partywall_between from partywall_app`,
		`grant "` + owner(base) + `" to partywall_app`: `revoke "` + owner(base) + `" from partywall_app`,
	} {
		run(give)
		e, err := backing.Open(t.Context(), "external")
		run(take)
		if !errors.Is(err, backing.ErrRole) || !strings.Contains(err.Error(), backing.EnvPostgres) || strings.Contains(err.Error(), "\n") {
			t.Errorf("after %s: %v", give, err)
		}
		if e != nil && err == nil {
			_ = e.Close()
		}
	}
	if password() != before {
		t.Error("the password of a role that was refused has changed")
	}
	e, err := backing.Open(t.Context(), "external")
	if err != nil {
		t.Fatalf("when all is taken back: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func owner(s *backing.Service) string { return s.Owner.Config().ConnConfig.User }

// TestPooler: connections through the pooler share two of the server, and what one session sets, others meet. This is what the
// conformance of strategies rests on.
func TestPooler(t *testing.T) {
	s := backingtest.Pooled(t, template)
	servers := map[int]bool{}
	for range 20 {
		conn, err := pgx.ConnectConfig(t.Context(), s.App.Config().ConnConfig)
		if err != nil {
			t.Fatal(err)
		}
		var pid int
		if err := conn.QueryRow(t.Context(), `select pg_backend_pid() from set_config('app.current_tenant', $1, false)`, "acme").Scan(&pid); err != nil {
			t.Fatal(err)
		}
		servers[pid] = true
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var remembered string
	err := s.App.QueryRow(t.Context(), `select current_setting('app.current_tenant', true)`).Scan(&remembered)
	if err != nil || remembered != "acme" || len(servers) != 2 {
		t.Errorf("20 connections met %d servers, the next one met the setting %q, %v", len(servers), remembered, err)
	}
}

// TestNoContainerEngine: where DOCKER_HOST leads nowhere, one sentence says so, and no other engine is taken instead.
func TestNoContainerEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	_, err := backing.Open(t.Context(), "containers")
	if !errors.Is(err, backing.ErrEngine) || !strings.Contains(err.Error(), "set DOCKER_HOST") || strings.Contains(err.Error(), "\n") {
		t.Errorf("no engine: %v", err)
	}
}

func TestUnknownKindAndMissingBinaries(t *testing.T) {
	if _, err := backing.Open(t.Context(), "clouds"); !errors.Is(err, backing.ErrKind) {
		t.Errorf("unknown kind: %v", err)
	}
	t.Setenv(backing.EnvBinaries, t.TempDir())
	if _, err := backing.Open(t.Context(), "embedded"); !errors.Is(err, backing.ErrPostgres) {
		t.Errorf("no binaries: %v", err)
	}
}

// TestDiesWithUs: a process that is killed leaves neither a server nor a folder behind.
func TestDiesWithUs(t *testing.T) {
	if os.Getenv("PARTYWALL_TEST_CHILD") != "" {
		hold(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestDiesWithUs$")
	child.Env = append(os.Environ(), "PARTYWALL_TEST_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	folder := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "folder="); ok {
			folder = rest
			break
		}
	}
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed: that is its error
	if folder == "" {
		t.Fatal("the child never opened its engine")
	}
	until(t, "the folder "+folder+" goes, and with it Postgres", func() bool {
		_, err := os.Stat(folder)
		servers, _ := exec.Command("pgrep", "-f", folder).Output() // that it finds nobody is an error as well
		return os.IsNotExist(err) && len(bytes.TrimSpace(servers)) == 0
	})
}

func hold(t *testing.T) {
	e, err := backing.Open(context.Background(), "embedded")
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Service(context.Background(), template)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString("\nfolder=" + s.Owner.Config().ConnConfig.Host + "\n")
	select {}
}

// TestDownload proves the fallback against a repository made of this machine's own binaries.
func TestDownload(t *testing.T) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		backingtest.Missing(t, "postgresql", "it needs a distribution's Postgres to build a repository from")
	}
	archive := filepath.Join(t.TempDir(), "postgres.txz")
	// Shared files stay where the distribution put them: Postgres finds them by their absolute path.
	tar := exec.Command("tar", "-I", "xz -0", "-cf", archive,
		"bin/initdb", "bin/postgres", "lib/dict_snowball.so", "lib/plpgsql.so")
	tar.Dir = filepath.Dir(found[0])
	if out, err := tar.CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	w := zip.NewWriter(&jar)
	f, err := w.Create("postgres-linux.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	downloads := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".jar") {
			http.NotFound(w, r)
			return
		}
		downloads++
		_, _ = w.Write(jar.Bytes())
	}))
	defer server.Close()
	t.Setenv(backing.EnvRepository, server.URL)
	cache, err := os.MkdirTemp("", "partywall-cache-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(cache) })
	if err := os.Chmod(cache, 0o755); err != nil { // another user will run what is in it
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", cache)
	e, err := backing.Open(t.Context(), "embedded")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if downloads != 1 {
		t.Errorf("the archive was downloaded %d times", downloads)
	}
}
