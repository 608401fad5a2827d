//go:build containers

package backing_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/backing/backingtest"
)

// TestOnContainers: these suites say nothing about containers when they run on something else.
func TestOnContainers(t *testing.T) {
	if kind := backingtest.Engine(t).Kind(); kind != "containers" {
		t.Fatalf("the tests run on the backing %s: set %s=containers", kind, backingtest.EnvKind)
	}
}

// containersOf a process, with the volumes they have; what is not running counts as well.
func containersOf(t *testing.T, pid int) (ids, volumes []string) {
	t.Helper()
	backingtest.Engine(t) // it silences the library
	docker, err := testcontainers.NewDockerClientWithOpts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = docker.Close() }()
	list, err := docker.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", "partywall.owner")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Items {
		if !strings.Contains(c.Labels["partywall.owner"], fmt.Sprintf("/%d/", pid)) {
			continue
		}
		ids = append(ids, c.ID)
		for _, m := range c.Mounts {
			if m.Name != "" {
				volumes = append(volumes, m.Name)
			}
		}
	}
	return ids, volumes
}

// volumesLeft of those that were.
func volumesLeft(t *testing.T, names []string) (left []string) {
	t.Helper()
	backingtest.Engine(t) // it silences the library
	docker, err := testcontainers.NewDockerClientWithOpts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = docker.Close() }()
	for _, name := range names {
		if _, err := docker.VolumeInspect(t.Context(), name, client.VolumeInspectOptions{}); err == nil {
			left = append(left, name)
		}
	}
	return left
}

// TestContainersGoWithTheEngine: one container for each engine; after Close neither they nor their volumes are there.
func TestContainersGoWithTheEngine(t *testing.T) {
	before, _ := containersOf(t, os.Getpid())
	e, err := backing.Open(t.Context(), "containers")
	if err != nil {
		t.Fatal(err)
	}
	during, volumes := containersOf(t, os.Getpid())
	if len(during) != len(before)+3 || len(volumes) == 0 {
		t.Errorf("%d containers and %d volumes", len(during)-len(before), len(volumes))
	}
	for range 2 { // to close what is closed is no mistake
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	after, kept := containersOf(t, os.Getpid())
	if len(after) != len(before) {
		t.Errorf("%d containers are left", len(after)-len(before))
	}
	if left := volumesLeft(t, volumes); len(left) != len(kept) {
		t.Errorf("%d volumes are left, of which %d belong to others", len(left), len(kept))
	}
}

// TestBrokenOff: however early a start is broken off, nothing of it stays.
func TestBrokenOff(t *testing.T) {
	before, _ := containersOf(t, os.Getpid())
	broken := 0
	for patience := 10 * time.Millisecond; patience < 500*time.Millisecond; patience *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		e, err := backing.Open(ctx, "containers")
		cancel()
		if err != nil {
			broken++
		} else if err := e.Close(); err != nil {
			t.Error(err)
		}
		if after, _ := containersOf(t, os.Getpid()); len(after) != len(before) {
			t.Fatalf("broken off after %s it leaves %d containers", patience, len(after)-len(before))
		}
	}
	if broken == 0 {
		t.Error("no start was broken off")
	}
}

// TestImageMissing: the error says what to do, and the engines whose images are there go as well.
func TestImageMissing(t *testing.T) {
	before, _ := containersOf(t, os.Getpid())
	t.Setenv(backing.EnvImageRedis, "partywall/no-such-image:0")
	_, err := backing.Open(t.Context(), "containers")
	if !errors.Is(err, backing.ErrImage) || !strings.Contains(err.Error(), backing.EnvImageRedis) || !strings.Contains(err.Error(), "make images") {
		t.Errorf("a missing image: %v", err)
	}
	if after, _ := containersOf(t, os.Getpid()); len(after) != len(before) {
		t.Errorf("%d containers are left", len(after)-len(before))
	}
}

// TestLeftovers: the next start removes the containers of a run that was killed, and none of a run that lives.
func TestLeftovers(t *testing.T) {
	if os.Getenv("PARTYWALL_TEST_CHILD") != "" {
		if _, err := backing.Open(context.Background(), "containers"); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("\nopened\n")
		select {}
	}
	killed, lives := opened(t, "^TestLeftovers$"), opened(t, "^TestLeftovers$")
	of, volumes := containersOf(t, killed.Process.Pid)
	if len(of) != 3 {
		t.Fatalf("the run has %d containers", len(of))
	}
	end(t, killed)
	again(t)
	if of, _ := containersOf(t, killed.Process.Pid); len(of) != 0 {
		t.Errorf("%d containers of the killed run are left", len(of))
	}
	if left := volumesLeft(t, volumes); len(left) != 0 {
		t.Errorf("%d volumes of the killed run are left", len(left))
	}
	if of, _ := containersOf(t, lives.Process.Pid); len(of) != 3 {
		t.Errorf("the run that lives has %d containers", len(of))
	}
	end(t, lives)
	again(t)
	if of, _ := containersOf(t, lives.Process.Pid); len(of) != 0 {
		t.Errorf("%d containers of the second killed run are left", len(of))
	}
}

// TestPanic: a test that panics takes its whole process along, and nobody ends the engine that its tests shared. Its containers go at
// the next start.
func TestPanic(t *testing.T) {
	if os.Getenv("PARTYWALL_TEST_CHILD") != "" {
		backingtest.Service(t, template)
		_, _ = os.Stdout.WriteString("\nopened\n")
		panic("in a test")
	}
	child := opened(t, "^TestPanic$")
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || !exit.Exited() || exit.ExitCode() != 2 {
		t.Fatalf("the panic ended with %v", err)
	}
	of, volumes := containersOf(t, child.Process.Pid)
	if len(of) != 3 {
		t.Errorf("the run that panicked left %d containers", len(of))
	}
	again(t)
	if of, _ := containersOf(t, child.Process.Pid); len(of) != 0 {
		t.Errorf("%d containers of the run that panicked are left", len(of))
	}
	if left := volumesLeft(t, volumes); len(left) != 0 {
		t.Errorf("%d volumes of the run that panicked are left", len(left))
	}
}

// again is the next start.
func again(t *testing.T) {
	t.Helper()
	e, err := backing.Open(t.Context(), "containers")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// opened is another process that runs a test, with an engine of its own.
func opened(t *testing.T, test string) *exec.Cmd {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run="+test)
	child.Env = append(os.Environ(), "PARTYWALL_TEST_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "opened" {
			return child
		}
		said.WriteString(lines.Text() + "\n")
	}
	t.Fatalf("the child never opened its engine: %s, %v", said.String(), child.Wait())
	return nil
}

func end(t *testing.T, child *exec.Cmd) {
	t.Helper()
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed: that is its error
}
