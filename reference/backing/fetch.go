package backing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// EnvRepository names the repository that Postgres binaries are downloaded from. Where it is set, installed binaries
// are not looked for.
const EnvRepository = "PARTYWALL_POSTGRES_REPOSITORY"

// fetchBinaries downloads Postgres once per machine. The library downloads as a part of starting a server; as root that
// start fails, after the binaries have arrived, so they alone decide.
func fetchBinaries(ctx context.Context) (string, error) {
	cache, err := cacheFolder()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPostgres, err)
	}
	version := embedded.V16
	repository := os.Getenv(EnvRepository)
	sum := sha256.Sum256([]byte(repository)) // binaries of another repository are other binaries
	folder := filepath.Join(cache, fmt.Sprintf("postgres-%s-%x", version, sum[:4]))
	bin := filepath.Join(folder, "bin")
	if isBinaries(bin) {
		return bin, nil
	}
	runtime, err := os.MkdirTemp("", "partywall-fetch-")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPostgres, err)
	}
	defer func() { _ = os.RemoveAll(runtime) }()
	port, err := freePort(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPostgres, err)
	}
	cfg := embedded.DefaultConfig().Version(version).Port(port).Logger(io.Discard).
		BinariesPath(folder).CachePath(filepath.Join(runtime, "cache")).RuntimePath(filepath.Join(runtime, "run"))
	if repository != "" {
		cfg = cfg.BinaryRepositoryURL(repository)
	}
	server := embedded.NewDatabase(cfg)
	startErr := server.Start()
	if startErr == nil {
		startErr = server.Stop()
	}
	if !isBinaries(bin) {
		return "", fmt.Errorf("%w: install PostgreSQL (initdb and postgres), or set %s, or let it be downloaded: %w",
			ErrPostgres, EnvBinaries, startErr)
	}
	return bin, nil
}

// cacheFolder is readable for the user that Postgres will run as.
func cacheFolder() (string, error) {
	if os.Geteuid() == 0 && os.Getenv("XDG_CACHE_HOME") == "" {
		return "/var/cache/partywall", os.MkdirAll("/var/cache/partywall", 0o755)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(base, "partywall")
	return folder, os.MkdirAll(folder, 0o755)
}

func freePort(ctx context.Context) (uint32, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("a TCP listener has no TCP address")
	}
	return uint32(address.Port), l.Close()
}
