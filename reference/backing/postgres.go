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

// supervise starts Postgres and waits on its standard input, the other end of which we hold: when we close it, or die
// of whatever cause, the kernel closes it, and the supervisor ends Postgres and removes the folder.
// A signal sent while Postgres is still starting may be lost, hence the loop.
const supervise = `
trap '' INT QUIT TERM HUP
( "$1/postgres" -D "$2/data" -k "$2" \
	-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c jit=off \
	-c max_connections=300 -c shared_buffers=32MB -c wal_level=minimal -c max_wal_senders=0 \
	</dev/null >"$2/log" 2>&1; echo $? >"$2/exit" ) &
while read -r _; do :; done
while [ ! -e "$2/exit" ]; do kill -QUIT 0 2>/dev/null; sleep 0.05; done
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
	folder, err := os.MkdirTemp(root, "partywall-pg-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for Postgres: %w", err)
	}
	p := &postgres{folder: folder}
	attr, err := unprivileged(folder)
	if err == nil {
		err = p.initialize(ctx, bin, attr)
	}
	if err == nil {
		err = p.start(bin, attr)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrPostgres, err), os.RemoveAll(folder))
	}
	if err := p.await(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrPostgres, err), p.Close())
	}
	return p, nil
}

// unprivileged says how to run as somebody else than root, which Postgres refuses, and gives the folder to them.
func unprivileged(folder string) (*syscall.SysProcAttr, error) {
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
		return attr, os.Chown(folder, int(uid), int(gid))
	}
	return nil, errors.New("Postgres does not run as root, and there is neither a user postgres nor nobody; run as another user")
}

func (p *postgres) initialize(ctx context.Context, bin string, attr *syscall.SysProcAttr) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(p.folder, "data"), "-U", ownerRole,
		"--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale", "--no-instructions")
	cmd.SysProcAttr, cmd.Dir = attr, p.folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb from %s: %w: %s", bin, err, lastLine(out))
	}
	return nil
}

func (p *postgres) start(bin string, attr *syscall.SysProcAttr) error {
	p.supervisor = exec.Command("sh", "-c", supervise, "sh", bin, p.folder)
	p.supervisor.SysProcAttr, p.supervisor.Dir = attr, p.folder
	lifeline, err := p.supervisor.StdinPipe()
	if err != nil {
		return err
	}
	p.lifeline = lifeline
	return p.supervisor.Start()
}

// await waits until the server takes connections, or until it is clear that it never will.
func (p *postgres) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
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
			return fmt.Errorf("the server ended: %s", lastLine(log))
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
		if real, err := filepath.EvalSymlinks(path); err == nil && isBinaries(filepath.Dir(real)) {
			return filepath.Dir(real)
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
