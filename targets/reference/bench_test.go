package reference_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
	"github.com/partywall/partywall/harness/matrix"
	"github.com/partywall/partywall/reference/backing/backingtest"
	"github.com/partywall/partywall/scenarios"
	"github.com/partywall/partywall/targets/reference"
)

// BenchmarkCatalogue runs every scenario against the embedded reference service, as the demo does. The peak of memory is
// that of the whole process: the harness, the service, and its cache and object store; Postgres is a process of its own.
func BenchmarkCatalogue(b *testing.B) {
	engine := backingtest.Engine(b)
	requests := int64(0)
	for b.Loop() {
		target, err := reference.Open(b.Context(), engine, reference.Options{})
		if err != nil {
			b.Fatal(err)
		}
		report, err := harness.Run(b.Context(), harness.Config{Target: target, Scenarios: scenarios.All(), Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		if code := report.ExitCode(false); code != harness.ExitHeld {
			b.Fatalf("exit %d: what is measured did not work", code)
		}
		requests += report.Requests
		if err := target.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/run")
	b.ReportMetric(float64(requests)/float64(b.N), "requests/run")
	b.ReportMetric(float64(requests)/b.Elapsed().Seconds(), "requests/s")
	if peak, ok := peakMemory(); ok {
		b.ReportMetric(peak, "peak-MiB")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkMatrix runs the detection matrix with a stop at the first proof.
func BenchmarkMatrix(b *testing.B) {
	engine := backingtest.Engine(b)
	cells := 0
	for b.Loop() {
		report, err := matrix.Run(b.Context(), matrix.Config{
			Subjects: reference.Subjects(engine, []string{"row", "rls"}, false), Scenarios: scenarios.All(), Seed: 1,
		})
		if err != nil {
			b.Fatal(err)
		}
		cells += len(report.Cells)
	}
	b.ReportMetric(float64(cells)/float64(b.N), "cells")
	b.ReportMetric(b.Elapsed().Seconds()/float64(cells), "s/cell")
	b.ReportMetric(0, "ns/op")
}

// peakMemory is the high-water mark of the resident set, in MiB, where the kernel tells it.
func peakMemory() (float64, bool) {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, false
	}
	defer func() { _ = status.Close() }()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kib / 1024, err == nil
		}
	}
	return 0, false
}
