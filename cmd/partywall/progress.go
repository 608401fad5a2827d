package main

import (
	"fmt"
	"io"
	"os"

	"github.com/partywall/partywall/harness"
)

// progress tells on standard error how far a run is: on a terminal in one line that is written over, elsewhere a line
// for every tenth.
type progress struct {
	w        io.Writer
	target   string
	terminal bool
	breached int
	tenths   int
}

func newProgress(w io.Writer, target string) *progress {
	p := &progress{w: w, target: target}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

func (p *progress) begin() { p.print("Attacking %s\n", p.target) }

func (p *progress) print(format string, args ...any) {
	_, _ = fmt.Fprintf(p.w, format, args...) // a closed standard error must not end a run
}

func (p *progress) cell(done, total int, c harness.Coverage) {
	if c.Verdict == harness.Breached {
		p.breached++
	}
	line := fmt.Sprintf("%d of %d cells, %d breached, now %s", done, total, p.breached, c.Scenario)
	switch {
	case p.terminal:
		p.print("\r\x1b[K%s", line)
	case done*10/total > p.tenths:
		p.tenths = done * 10 / total
		p.print("%s\n", line)
	}
}

func (p *progress) done() {
	if p.terminal {
		p.print("\r\x1b[K")
	}
}
