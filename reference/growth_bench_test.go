package reference_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkGrowth lets a service grow, and tells at each size what a further tenant takes, how much memory is in use, and how
// long reads take that are spread over all tenants by chance.
func BenchmarkGrowth(b *testing.B) {
	for _, growth := range []struct {
		strategy string
		sizes    []int
	}{
		{"row", []int{10, 100, 1000}},
		{"rls", []int{10, 100, 1000}},
		{"schema", []int{10, 100, 1000}},
		{"database", []int{10, 100, 200}},
	} {
		b.Run(growth.strategy, func(b *testing.B) {
			for b.Loop() {
				grow(b, growth.strategy, growth.sizes)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func grow(b *testing.B, strategy string, sizes []int) {
	s := launch(b, strategy, strategy)
	table := &strings.Builder{}
	fmt.Fprintf(table, "%7s %11s %8s %8s %10s %12s %9s\n", "tenants", "ms/tenant", "p50", "p99", "Go heap", "Postgres", "on disk")
	for _, size := range sizes {
		var admitted []time.Duration
		for n := len(s.tenants); n < size; n++ {
			admitted = append(admitted, s.admit(fmt.Sprintf("t%d", n), 3))
		}
		const warm, requests = 300, 2000
		chance := rand.New(rand.NewPCG(1, 2)) // the same tenants in every run
		for i := range warm + requests {
			if i == warm {
				s.took = nil
			}
			s.request(chance.IntN(size), i, http.MethodGet, "")
		}
		each := total(admitted).Seconds() * 1000 / float64(len(admitted))
		heap, disk := s.memory()
		fmt.Fprintf(table, "%7d %11.2f %6.0fµs %6.0fµs %7.0f MiB %9s %5.0f MiB\n", size, each, micros(quantile(s.took, 50)),
			micros(quantile(s.took, 99)), heap, s.postgres(), disk)
		b.ReportMetric(each, fmt.Sprintf("ms/tenant@%d", size))
		b.ReportMetric(micros(quantile(s.took, 50)), fmt.Sprintf("p50-µs@%d", size))
		b.ReportMetric(micros(quantile(s.took, 99)), fmt.Sprintf("p99-µs@%d", size))
	}
	b.Log(table)
}

// memory is the heap of this process, which is service, client, cache and object store, and the size of all databases.
func (s *subject) memory() (heap, disk float64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	err := s.parts.Service.Owner.QueryRow(s.b.Context(), `select sum(pg_database_size(oid))::float8 / 1048576 from pg_database`).Scan(&disk)
	if err != nil {
		s.b.Fatal(err)
	}
	return float64(m.HeapAlloc) / (1 << 20), disk
}

// postgres is the memory of the server with all its processes, where the kernel tells it: pages that several share count once.
func (s *subject) postgres() string {
	var postmaster string
	err := s.parts.Service.Owner.QueryRow(s.b.Context(), `select split_part(pg_read_file('postmaster.pid'), E'\n', 1)`).Scan(&postmaster)
	if err != nil {
		s.b.Fatal(err)
	}
	kib := proportional(postmaster)
	tasks, _ := filepath.Glob("/proc/" + postmaster + "/task/*/children") // the pattern is ours and well-formed
	for _, task := range tasks {
		children, _ := os.ReadFile(task) // without them there is nothing to add
		for _, child := range strings.Fields(string(children)) {
			kib += proportional(child)
		}
	}
	if kib == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.0f MiB", kib/1024)
}

// proportional is a process's proportional set size in KiB, or 0 where nobody tells.
func proportional(pid string) float64 {
	rollup, err := os.Open("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		return 0
	}
	defer func() { _ = rollup.Close() }()
	for lines := bufio.NewScanner(rollup); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "Pss:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(value)[0], 64) // the kernel writes numbers
			return kib
		}
	}
	return 0
}
