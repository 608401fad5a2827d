package backing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const ownerRole = "partywall_owner"

// EnvBinaries names a folder with initdb and postgres that is looked at before all others.
const EnvBinaries = "PARTYWALL_POSTGRES_BIN"

// postgres is a server in a temporary folder, reached through the socket in it.
type postgres struct {
	folder     string
	supervisor *exec.Cmd
	lifeline   io.Closer
}

// fast are flags of a server whose data nobody will miss.
const fast = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c jit=off " +
	"-c max_connections=300 -c shared_buffers=32MB -c wal_level=minimal -c max_wal_senders=0"

// supervise makes a cluster, starts Postgres on it and waits on its standard input, the other end of which we hold: when we
// close it, or die of whatever cause, the kernel closes it, and the supervisor ends what runs and removes the folder. It is
// there before the folder is, and begins when it is told that the folder is ready.
// A signal sent while Postgres is still starting may be lost, hence the loop.
const supervise = `
trap '' INT QUIT TERM HUP
if read -r _; then
	( "$1/initdb" -D "$2/data" -U ` + ownerRole + ` --auth=trust --no-sync --encoding=UTF8 --no-locale --no-instructions \
		</dev/null >"$2/log" 2>&1 &&
	"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= ` + fast + ` \
		</dev/null >>"$2/log" 2>&1; echo $? >"$2/exit" ) &
	while read -r _; do :; done
	while [ ! -e "$2/exit" ]; do kill -QUIT 0 2>/dev/null; sleep 0.05; done
fi
rm -rf "$2"
`

// startPostgres finds binaries, makes a cluster and starts it.
func startPostgres(ctx context.Context) (*postgres, error) {
	bin, err := findBinaries(ctx)
	if err != nil {
		return nil, err
	}
	// Socket paths are limited to some 100 characters, so the system's temporary folder must do even where TMPDIR is long.
	root := os.TempDir()
	if len(root) > 60 {
		root = "/tmp"
	}
	p := &postgres{folder: filepath.Join(root, randomName("partywall-pg-"))}
	if err := p.start(bin); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPostgres, err)
	}
	if err := p.await(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrPostgres, err), p.Close())
	}
	return p, nil
}

// unprivileged says how to run as somebody else than root, which Postgres refuses.
func unprivileged() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true} // our terminal's Ctrl-C is for us, not for Postgres
	if os.Geteuid() != 0 {
		return attr, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr, nil
	}
	return nil, errors.New("as root Postgres does not run, and there is neither a user postgres nor nobody; run as another user")
}

// start starts the supervisor, makes the folder, gives it to whoever the supervisor runs as, and says so.
func (p *postgres) start(bin string) error {
	attr, err := unprivileged()
	if err != nil {
		return err
	}
	p.supervisor = exec.Command("sh", "-c", supervise, "sh", bin, p.folder) //nolint:noctx // it ends with Close, or with us
	p.supervisor.SysProcAttr, p.supervisor.Dir = attr, "/"
	lifeline, err := p.supervisor.StdinPipe()
	if err != nil {
		return err
	}
	if err := p.supervisor.Start(); err != nil {
		return err
	}
	p.lifeline = lifeline
	err = os.Mkdir(p.folder, 0o700)
	if err == nil && attr.Credential != nil {
		err = os.Chown(p.folder, int(attr.Credential.Uid), int(attr.Credential.Gid))
	}
	if err == nil {
		_, err = io.WriteString(lifeline, "ready\n")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("make a folder for Postgres: %w", err), p.Close(), os.RemoveAll(p.folder))
	}
	return nil
}

// await waits until the server takes connections, or until it is clear that it never will.
func (p *postgres) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		conn, err := connect(ctx, "host="+p.folder+" user="+ownerRole, "postgres")
		if err == nil {
			return conn.Close(ctx)
		}
		if _, gone := os.Stat(filepath.Join(p.folder, "exit")); gone == nil {
			log, _ := os.ReadFile(filepath.Join(p.folder, "log")) // without a log the sentence is shorter
			return fmt.Errorf("initdb or the server ended: %s", lastLine(log))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-poll.C:
		}
	}
}

// Close ends the server and removes its folder.
func (p *postgres) Close() error {
	if err := p.lifeline.Close(); err != nil {
		return err
	}
	if err := p.supervisor.Wait(); err != nil {
		return fmt.Errorf("end Postgres: %w", err)
	}
	return nil
}

// findBinaries looks where distributions put them, newest version first, and downloads them where there are none.
func findBinaries(ctx context.Context) (string, error) {
	if given := os.Getenv(EnvBinaries); given != "" {
		if !isBinaries(given) {
			return "", fmt.Errorf("%w: %s is %s, which holds no initdb and postgres", ErrPostgres, EnvBinaries, given)
		}
		return given, nil
	}
	if os.Getenv(EnvRepository) == "" {
		if found := installed(); found != "" {
			return found, nil
		}
	}
	return fetchBinaries(ctx)
}

func installed() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil && isBinaries(filepath.Dir(target)) {
			return filepath.Dir(target)
		}
	}
	best, bestVersion := "", -1
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/lib/postgresql*/bin", "/usr/libexec/postgresql*",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/usr/local/pgsql/bin",
	} {
		matches, _ := filepath.Glob(pattern) // the patterns are ours and well-formed
		for _, m := range matches {
			digits := strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return r
				}
				return -1
			}, m)
			if version, _ := strconv.Atoi(digits); isBinaries(m) && version > bestVersion {
				best, bestVersion = m, version
			}
		}
	}
	return best
}

func isBinaries(folder string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
