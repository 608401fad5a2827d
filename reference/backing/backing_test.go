package backing_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

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

// TestUnsignedS3IsRefused: the in-process store verifies signatures.
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

func TestRedisExpires(t *testing.T) {
	s := backingtest.Service(t, template)
	if err := s.Redis.Set(t.Context(), "k", "v", 300*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); s.Redis.Exists(t.Context(), "k").Val() != 0; {
		if time.Now().After(deadline) {
			t.Fatal("a key with a time to live of 300 ms never expired")
		}
	}
}

func TestExternal(t *testing.T) {
	if _, err := backing.Open(t.Context(), "external"); !errors.Is(err, backing.ErrExternal) {
		t.Errorf("without an environment: %v", err)
	}
	base := backingtest.Service(t, template)
	owner := base.Owner.Config().ConnConfig
	t.Setenv(backing.EnvPostgres, "host="+owner.Host+" user="+owner.User)
	t.Setenv(backing.EnvRedis, "redis://"+base.Redis.Options().Addr+"/3")
	keys, err := base.S3.GetCreds()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(backing.EnvS3, "http://"+keys.AccessKeyID+":"+keys.SecretAccessKey+"@"+base.S3.EndpointURL().Host)
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
	for deadline := time.Now().Add(20 * time.Second); ; {
		if _, err := os.Stat(folder); os.IsNotExist(err) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there 20 s after its process was killed", folder)
		}
	}
	if servers, _ := exec.Command("pgrep", "-f", folder).Output(); len(bytes.TrimSpace(servers)) > 0 {
		t.Errorf("Postgres still runs: %s", servers)
	}
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
		t.Skip("needs a distribution's Postgres to build a repository from")
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
