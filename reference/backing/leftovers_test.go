package backing

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
)

// TestAbandoned: only what certainly has no owner any more is abandoned.
func TestAbandoned(t *testing.T) {
	here := self()
	if here.boot == "" {
		t.Fatal("this process does not know who it is")
	}
	child := exec.Command("true")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := here
	ended.pid = child.Process.Pid
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	reused, rebooted, elsewhere, parent := here, here, here, here
	reused.start = "1"
	rebooted.boot = "another"
	elsewhere.space = "pid:[1]"
	parent.pid = os.Getppid()
	var err error
	if parent.start, err = startOf(parent.pid); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, label string
		state       container.ContainerState
		want        bool
	}{
		{"ours", here.String(), container.StateRunning, false},
		{"ours, ended", here.String(), container.StateExited, false},
		{"of a living process", parent.String(), container.StateRunning, false},
		{"of an ended process", ended.String(), container.StateRunning, true},
		{"of an ended process, never started", ended.String(), container.StateCreated, true},
		{"of an earlier process with our number", reused.String(), container.StateRunning, true},
		{"of another boot", rebooted.String(), container.StateRunning, false},
		{"of another boot, ended", rebooted.String(), container.StateExited, true},
		{"of another process space", elsewhere.String(), container.StateRunning, false},
		{"of another process space, starting", elsewhere.String(), container.StateCreated, false},
		{"of nobody", "", container.StateRunning, false},
		{"of nobody, ended", "a/b/c/d", container.StateDead, true},
	} {
		if got := abandoned(tc.label, tc.state); got != tc.want {
			t.Errorf("%s: abandoned is %v", tc.name, got)
		}
	}
}

// TestZombie: a process that has ended, and whose parent did not notice yet, owns nothing any more.
func TestZombie(t *testing.T) {
	child := exec.Command("cat")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	zombie := self()
	zombie.pid = child.Process.Pid
	if zombie.start, err = startOf(zombie.pid); err != nil {
		t.Fatal(err)
	}
	if abandoned(zombie.String(), container.StateRunning) {
		t.Error("it lives")
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for hang := time.After(time.Minute); ; { // until it has ended
		if start, err := startOf(zombie.pid); err != nil || start == "" {
			break
		}
		select {
		case <-poll.C:
		case <-hang:
			t.Fatal("it never ends")
		}
	}
	if !abandoned(zombie.String(), container.StateRunning) {
		t.Error("it has ended")
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestNumbered: nobody shares a number, and one that was given back is used again.
func TestNumbered(t *testing.T) {
	n := newNumbered(nil)
	taken := map[int]bool{}
	for range redisDatabases {
		number, err := n.take()
		if err != nil || taken[number] || number < 0 || number >= redisDatabases {
			t.Fatalf("the number %d, %v", number, err)
		}
		taken[number] = true
	}
	if _, err := n.take(); err == nil {
		t.Error("one more than there are")
	}
	n.give(7)
	if number, err := n.take(); err != nil || number != 7 {
		t.Errorf("the number %d, %v", number, err)
	}
}
