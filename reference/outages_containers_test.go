//go:build containers

package reference_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/backing"
	"github.com/partywall/partywall/reference/backing/backingtest"
)

// ports of the engines within their containers.
var ports = map[uint16]string{5432: "Postgres", 6379: "Redis", 9000: "S3"}

// hosts of engines are their containers. A container that starts again may have another address.
type hosts struct {
	*testing.T
	docker *testcontainers.DockerClient
}

// own are the containers of this process: the name of the engine by the container's id.
func (h hosts) own() map[string]string {
	h.Helper()
	list, err := h.docker.ContainerList(h.Context(), client.ContainerListOptions{Filters: client.Filters{}.Add("label", "partywall.owner")})
	if err != nil {
		h.Fatal(err)
	}
	found := map[string]string{}
	for _, c := range list.Items {
		for _, port := range c.Ports {
			if name := ports[port.PrivatePort]; name != "" && strings.Contains(c.Labels["partywall.owner"], fmt.Sprintf("/%d/", os.Getpid())) {
				found[c.ID] = name
			}
		}
	}
	return found
}

func (h hosts) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// address at which a container is reached.
func (h hosts) address(id string) string {
	h.Helper()
	found, err := h.docker.ContainerInspect(h.Context(), id, client.ContainerInspectOptions{})
	h.must(err)
	for _, bindings := range found.Container.NetworkSettings.Ports {
		for _, binding := range bindings {
			return "127.0.0.1:" + binding.HostPort
		}
	}
	h.Fatal("the container has no address")
	return ""
}

// TestRealOutages: engines are paused, stopped and started again while neighbours read and write. What Redis held is gone by then; what
// was written to the others is not.
func TestRealOutages(t *testing.T) {
	template, err := reference.Template("hybrid")
	if err != nil {
		t.Fatal(err)
	}
	backingtest.Engine(t) // it silences the library
	docker, err := testcontainers.NewDockerClientWithOpts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = docker.Close() })
	h := hosts{t, docker}
	others := h.own()
	engine, err := backing.Open(t.Context(), "containers")
	h.must(err)
	t.Cleanup(func() { h.must(engine.Close()) })
	base, err := engine.Service(t.Context(), template)
	h.must(err)
	h.must(base.Close(t.Context())) // it tells how the engines are reached, before any of them moves
	s, lines := behindLines(t, "hybrid", template, base, impatient)
	f := s.flow()
	f.recovers("nothing has happened")
	for id, name := range h.own() {
		if others[id] != "" {
			continue
		}
		_, err := docker.ContainerPause(t.Context(), id, client.ContainerPauseOptions{})
		h.must(err)
		f.through(name+" is paused", name, func() {
			_, err := docker.ContainerUnpause(t.Context(), id, client.ContainerUnpauseOptions{})
			h.must(err)
		})
		_, err = docker.ContainerStop(t.Context(), id, client.ContainerStopOptions{})
		h.must(err)
		f.through(name+" is stopped", name, func() {
			_, err := docker.ContainerStart(t.Context(), id, client.ContainerStartOptions{})
			h.must(err)
			lines[name].moved(h.address(id))
		})
	}
}
