package backing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/redis/go-redis/v9"
	"github.com/testcontainers/testcontainers-go"
	containerlog "github.com/testcontainers/testcontainers-go/log"
	"golang.org/x/sync/errgroup"
)

// The environment of the containers backing: the images, where they are not the public ones.
//
// The image for Postgres takes POSTGRES_USER, POSTGRES_PASSWORD and the flags of postgres; that for Redis takes
// redis-server with a file. That for S3 takes what MinIO takes, or, if versitygw is a part of its name, what that takes,
// and listens on port 9000.
const (
	EnvImagePostgres = "PARTYWALL_IMAGE_POSTGRES"
	EnvImageRedis    = "PARTYWALL_IMAGE_REDIS"
	EnvImageS3       = "PARTYWALL_IMAGE_S3"
)

const (
	s3Key = "partywall"
	// redisDatabases is how many services one Redis can hold; an empty database costs it about a kilobyte.
	redisDatabases = 1024
	// patience with an engine that has started and does not answer yet.
	patience = time.Minute
)

// part is one engine and the container it runs in.
type part struct {
	name        string
	env, public string // where the name of its image stands, and what it is when nothing stands there
	port        string
	setting     map[string]string
	command     func(image string) []string
	files       []testcontainers.ContainerFile
	data        string // folder that is written to
	secret      string // opens it

	docker  *testcontainers.DockerContainer
	address netip.AddrPort
}

// threeParts are the three engines; all are opened by one secret.
func threeParts(secret string) (postgres, redis, s3 *part) {
	postgres = &part{
		name: "Postgres", secret: secret, env: EnvImagePostgres, public: "postgres:17-alpine", port: "5432/tcp", data: "/var/lib/postgresql/data",
		setting: map[string]string{"POSTGRES_USER": ownerRole, "POSTGRES_PASSWORD": secret},
		command: func(string) []string { return strings.Fields("postgres " + fast) },
	}
	// A password among the arguments would be seen in every list of processes.
	config := fmt.Sprintf("requirepass %s\ndatabases %d\nsave \"\"\nappendonly no\n", secret, redisDatabases)
	redis = &part{
		name: "Redis", secret: secret, env: EnvImageRedis, public: "redis:7-alpine", port: "6379/tcp",
		command: func(string) []string { return []string{"redis-server", "/partywall-redis.conf"} },
		files: []testcontainers.ContainerFile{
			{Reader: strings.NewReader(config), ContainerFilePath: "/partywall-redis.conf", FileMode: 0o444},
		},
	}
	s3 = &part{
		name: "S3", secret: secret, env: EnvImageS3, public: "minio/minio:RELEASE.2025-09-07T16-13-09Z", port: "9000/tcp", data: "/data",
		setting: map[string]string{
			"MINIO_ROOT_USER": s3Key, "MINIO_ROOT_PASSWORD": secret,
			"ROOT_ACCESS_KEY": s3Key, "ROOT_SECRET_KEY": secret,
		},
		command: func(image string) []string {
			if strings.Contains(image, "versitygw") {
				return []string{"--port", ":9000", "posix", "/data"}
			}
			return []string{"server", "/data"}
		},
	}
	return postgres, redis, s3
}

func openContainers(ctx context.Context) (_ *Engine, err error) {
	docker, err := reachDocker(ctx)
	if err != nil {
		return nil, err
	}
	e := &Engine{stop: []func() error{docker.Close}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := removeLeftovers(ctx, docker); err != nil {
		return nil, err
	}
	secret := rand.Text()
	inPostgres, inRedis, inS3 := threeParts(secret)
	parts := []*part{inPostgres, inRedis, inS3}
	e.stop = append(e.stop, func() error { return removeParts(parts) })
	if err := each(parts, func(p *part) error { return p.start(ctx, docker) }); err != nil {
		return nil, err
	}

	e.owner = fmt.Sprintf("host=%s port=%d sslmode=disable user=%s password=%s",
		inPostgres.address.Addr(), inPostgres.address.Port(), ownerRole, secret)
	numbered := newNumbered(bounded(&redis.Options{Addr: inRedis.address.String(), Password: secret, DisableIdentity: true}))
	e.newRedis = numbered.service
	e.s3, err = minio.New(inS3.address.String(), &minio.Options{
		Creds: credentials.NewStaticV4(s3Key, secret, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath,
		Transport: s3Transport(), MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, fmt.Errorf("make a client for the S3 container: %w", err)
	}
	answers := map[*part]func(context.Context) error{
		inPostgres: e.makeApp,
		inRedis:    numbered.ping,
		inS3: func(ctx context.Context) error {
			_, err := e.s3.ListBuckets(ctx)
			return err
		},
	}
	return e, each(parts, func(p *part) error { return p.await(ctx, answers[p]) })
}

// reachDocker asks the container engine whether it is there.
func reachDocker(ctx context.Context) (*testcontainers.DockerClient, error) {
	silence()
	// The library goes on to the next address it knows when DOCKER_HOST does not answer: containers would then run where
	// the user did not want them.
	if os.Getenv(client.EnvOverrideHost) != "" {
		named, err := client.New(client.FromEnv)
		if err == nil {
			_, err = named.Ping(ctx, client.PingOptions{})
			err = errors.Join(err, named.Close())
		}
		if err != nil {
			return nil, fmt.Errorf("%w at DOCKER_HOST: start it, or set DOCKER_HOST to one that runs: %w", ErrEngine, err)
		}
	}
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: start Docker, or set DOCKER_HOST to the address of an engine: %w", ErrEngine, err)
	}
	return docker, nil
}

// silence the library's own log, which it writes to standard error, with its addresses and process ids.
var silence = sync.OnceFunc(func() { containerlog.SetDefault(containerlog.NewNoopLogger()) })

// start makes the container. What it started stands in p.docker even when it fails.
func (p *part) start(ctx context.Context, docker *testcontainers.DockerClient) error {
	image := os.Getenv(p.env)
	if image == "" {
		image = p.public
	}
	if err := p.fetch(ctx, docker, image); err != nil {
		return err
	}
	// A request to make a container that is broken off is carried out nevertheless, and nobody learns the container's name.
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	var err error
	p.docker, err = testcontainers.Run(whole, image,
		testcontainers.WithLabels(map[string]string{ownerLabel: self().String()}),
		testcontainers.WithEnv(p.setting), testcontainers.WithCmd(p.command(image)...), testcontainers.WithFiles(p.files...),
		testcontainers.WithExposedPorts(p.port), testcontainers.WithHostConfigModifier(p.confine))
	if err != nil && strings.Contains(err.Error(), "reaper") {
		return fmt.Errorf("%w: that of the reaper; set TESTCONTAINERS_RYUK_DISABLED=true to do without: %w", ErrImage, err)
	}
	if err != nil {
		return fmt.Errorf("start %s from the image %s: %w", p.name, image, err)
	}
	inspected, err := p.docker.Inspect(ctx)
	if err != nil {
		return fmt.Errorf("look at the container of %s: %w", p.name, err)
	}
	for _, binding := range inspected.NetworkSettings.Ports[network.MustParsePort(p.port)] {
		if p.address, err = netip.ParseAddrPort("127.0.0.1:" + binding.HostPort); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the container of %s ended at once, or has no port here: %s", p.name, p.lastWords(ctx))
}

// fetch the image if it is not here.
func (p *part) fetch(ctx context.Context, docker *testcontainers.DockerClient, image string) error {
	_, err := docker.ImageInspect(ctx, image)
	if err == nil {
		return nil
	}
	if errdefs.IsNotFound(err) {
		var library *testcontainers.DockerProvider
		if library, err = testcontainers.NewDockerProvider(); err == nil {
			err = errors.Join(library.PullImage(ctx, image), library.Close())
		}
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %s for %s is not here and cannot be pulled; run make images, or name another in %s: %w",
			ErrImage, image, p.name, p.env, err)
	}
	return err
}

// confine lets nobody beyond this machine in, and gives the data a volume, which goes with the container.
func (p *part) confine(host *container.HostConfig) {
	host.PortBindings = network.PortMap{network.MustParsePort(p.port): {{HostIP: netip.MustParseAddr("127.0.0.1")}}}
	if p.data != "" {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Target: p.data})
	}
}

// await asks until the engine answers, or until it is clear that it never will.
func (p *part) await(ctx context.Context, answer func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		try, over := context.WithTimeout(ctx, 5*time.Second)
		err := answer(try)
		over()
		if err == nil {
			return nil
		}
		if state, gone := p.docker.State(ctx); gone == nil && !state.Running {
			return fmt.Errorf("the container of %s ended: %s", p.name, p.lastWords(ctx))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s runs in its container and does not answer: %w", p.name, err)
		case <-poll.C:
		}
	}
}

// lastWords are the last line of the container's log, without the secret.
func (p *part) lastWords(ctx context.Context) string {
	logs, err := p.docker.Logs(ctx)
	if err != nil {
		return "it left no log"
	}
	defer func() { _ = logs.Close() }()
	text, _ := io.ReadAll(io.LimitReader(logs, 1<<20)) // what could be read is better than nothing
	return strings.ReplaceAll(lastLine(text), p.secret, "***")
}

// removeParts ends the containers at once: nothing in them is to be kept.
func removeParts(parts []*part) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return each(parts, func(p *part) error {
		if p.docker == nil {
			return nil
		}
		if err := p.docker.Terminate(ctx, testcontainers.StopContext(ctx), testcontainers.StopTimeout(0)); err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("remove the container of %s: %w", p.name, err)
		}
		return nil
	})
}

// each does something with all parts side by side, and tells the first error.
func each(parts []*part, do func(*part) error) error {
	var doing errgroup.Group
	for _, p := range parts {
		doing.Go(func() error { return do(p) })
	}
	return doing.Wait()
}
