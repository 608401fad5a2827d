package backingtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partywall/partywall/reference/backing"
)

// EnvRequire lists, with commas between them, programs that are optional elsewhere: where it names one that is missing, what
// needs it fails instead of being skipped.
const EnvRequire = "PARTYWALL_REQUIRE"

// Missing ends a test that needs a program which is not here: it is skipped, unless [EnvRequire] names the program.
func Missing(t testing.TB, program, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv(EnvRequire), ","), program) {
		t.Fatalf("%s, and %s names %s", why, EnvRequire, program)
	}
	t.Skip(why)
}

// poolerConfig lets every database in, also those made later. Two connections in turn serve all clients of a database: what one
// transaction leaves behind is met by another tenant, and what it counts on is not there in the next.
const poolerConfig = `
[databases]
* = host=%[1]s port=%[2]d user=` + backing.AppRole + `%[3]s
[pgbouncer]
pool_mode = transaction
default_pool_size = 2
server_round_robin = 1
max_client_conn = 1000
auth_type = any
ignore_startup_parameters = extra_float_digits
listen_addr =
unix_socket_dir = %[4]s
`

// supervise ends the pooler and removes its folder when our end of the pipe is closed, by us or by the kernel.
const supervise = `
"$1" -q "$2/pgbouncer.ini" </dev/null >"$2/log" 2>&1 &
while read -r _; do :; done
kill $!; wait
rm -rf "$2"
`

// Pooled is a fresh service on the Postgres of the shared engine, opened as an external one whose application goes through
// pgbouncer in transaction mode. Without pgbouncer the test is skipped.
func Pooled(t testing.TB, template backing.Template) *backing.Service {
	t.Helper()
	beside := Service(t, template) // lends its Redis and its S3
	owner := beside.Owner.Config().ConnConfig
	keys, err := beside.S3.GetCreds()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(backing.EnvPostgres, fmt.Sprintf("host=%s port=%d user=%s password='%s' sslmode=disable", owner.Host, owner.Port, owner.User, owner.Password))
	t.Setenv(backing.EnvPooler, "host="+pooler(t, beside.App.Config().ConnConfig)+" port=6432 sslmode=disable")
	cache := beside.Redis.Options()
	t.Setenv(backing.EnvRedis, fmt.Sprintf("redis://:%s@%s/%d", cache.Password, cache.Addr, cache.DB))
	t.Setenv(backing.EnvS3, "http://"+keys.AccessKeyID+":"+keys.SecretAccessKey+"@"+beside.S3.EndpointURL().Host)
	e, err := backing.Open(t.Context(), "external")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, e.Close()) })
	s := fresh(t, e, template)
	check(t, pgx.BeginFunc(t.Context(), s.App, func(pgx.Tx) error { // the pooler opens its second connection when the first is in use
		_, err := s.App.Exec(t.Context(), `select 1`)
		return err
	}))
	return s
}

// pooler starts pgbouncer in front of a server, and returns the folder of its socket.
func pooler(t testing.TB, server *pgx.ConnConfig) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer") // where Debian puts it, and few users look
	}
	if err != nil {
		Missing(t, "pgbouncer", "pgbouncer is not installed")
	}
	folder, err := os.MkdirTemp("/tmp", "partywall-pooler-") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	password := ""
	if server.Password != "" {
		password = " password=" + server.Password
	}
	config := fmt.Sprintf(poolerConfig, server.Host, server.Port, password, folder)
	check(t, os.WriteFile(filepath.Join(folder, "pgbouncer.ini"), []byte(config), 0o644))
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "sh", "-c", supervise, "sh", program, folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 { // which pgbouncer refuses
		cmd.SysProcAttr.Credential = another(t, server)
		check(t, os.Chown(folder, int(cmd.SysProcAttr.Credential.Uid), int(cmd.SysProcAttr.Credential.Gid)))
	}
	lifeline, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, errors.Join(lifeline.Close(), cmd.Wait())) })
	await(t, folder)
	return folder
}

// another is whom the pooler runs as: as Postgres does, whose socket it must reach, or nobody.
func another(t testing.TB, server *pgx.ConnConfig) *syscall.Credential {
	t.Helper()
	if !strings.HasPrefix(server.Host, "/") {
		return &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	info, err := os.Stat(server.Host)
	if err != nil {
		t.Fatal(err)
	}
	as := info.Sys().(*syscall.Stat_t)
	return &syscall.Credential{Uid: as.Uid, Gid: as.Gid}
}

// await waits until the pooler lets a client in.
func await(t testing.TB, folder string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		conn, err := pgx.Connect(ctx, "host="+folder+" port=6432 user="+backing.AppRole+" dbname=postgres")
		if err == nil {
			check(t, conn.Close(ctx))
			return
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(folder, "log")) // without a log the sentence is shorter
			t.Fatalf("pgbouncer lets nobody in: %v: %s", err, log)
		case <-poll.C:
		}
	}
}
