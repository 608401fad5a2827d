package backing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// ownerLabel is on every container that an engine starts: the process that started it, see [owner].
const ownerLabel = "partywall.owner"

// An owner is a process, told apart from every other one that was or will be: numbers of processes are used again.
type owner struct {
	boot  string // of the kernel it runs on
	space string // that its number is of
	pid   int
	start string // in ticks since the boot
}

// self is this process. Where there is no /proc, nobody can tell later whether it lives.
func self() owner {
	o := owner{pid: os.Getpid()}
	boot, err1 := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, err2 := os.Readlink("/proc/self/ns/pid")
	start, err3 := startOf(o.pid)
	if errors.Join(err1, err2, err3) == nil {
		o.boot, o.space, o.start = strings.TrimSpace(string(boot)), space, start
	}
	return o
}

func (o owner) String() string {
	return fmt.Sprintf("%s/%s/%d/%s", o.boot, o.space, o.pid, o.start)
}

func parseOwner(label string) (owner, bool) {
	parts := strings.Split(label, "/")
	if len(parts) != 4 {
		return owner{}, false
	}
	pid, err := strconv.Atoi(parts[2])
	return owner{boot: parts[0], space: parts[1], pid: pid, start: parts[3]}, err == nil
}

// abandoned says whether nobody will ever end the container. A process of another boot, machine or process space cannot be
// asked: what it started is abandoned only when it does not run any more.
func abandoned(label string, state container.ContainerState) bool {
	o, ok := parseOwner(label)
	if here := self(); !ok || here.boot == "" || o.boot != here.boot || o.space != here.space {
		return state == container.StateExited || state == container.StateDead
	}
	start, err := startOf(o.pid)
	if err != nil { // a /proc may hide the processes of others, a signal does not
		return errors.Is(syscall.Kill(o.pid, 0), syscall.ESRCH)
	}
	return start != o.start
}

// startOf a process. What has ended and waits for its parent to notice has none.
func startOf(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The second field is the name, in parentheses, and may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("/proc/%d/stat is cut short", pid)
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return "", nil
	}
	return fields[19], nil
}

// removeLeftovers ends the containers of runs that died before they could do so themselves.
func removeLeftovers(ctx context.Context, docker *testcontainers.DockerClient) error {
	list, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", ownerLabel)})
	if err != nil {
		return fmt.Errorf("look for containers of dead runs: %w", err)
	}
	var errs []error
	for _, c := range list.Items {
		if !abandoned(c.Labels[ownerLabel], c.State) {
			continue
		}
		_, err := docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) { // another run may be doing the same
			errs = append(errs, fmt.Errorf("remove a container of a dead run: %w", err))
		}
	}
	return errors.Join(errs...)
}
