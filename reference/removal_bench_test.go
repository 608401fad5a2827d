package reference_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference/tenant"
)

// BenchmarkRemoval deletes a tenant with 100,000 rows and 10,000 objects beside a neighbour, and tells how long that takes, and how
// long the longest of its transactions was open: for so long, at most, somebody waits for a lock of it.
func BenchmarkRemoval(b *testing.B) {
	for _, strategy := range []string{"row", "rls", "schema", "database", "hybrid"} {
		b.Run(strategy, func(b *testing.B) {
			var longest, took time.Duration
			for b.Loop() {
				b.StopTimer()
				s := start(b, strategy)
				id, _ := s.admit("acme")
				s.fill(id, 100_000, 10_000)
				if full := s.inventory(id); len(full.objects) < 10_000 || full.rows[id]["documents"]+full.rows[id]["comments"] != 100_000 {
					b.Fatalf("there are %d objects and %v", len(full.objects), full.rows[id])
				}
				stop := s.longestTransaction(&longest)
				b.StartTimer()
				began := time.Now()
				if err := s.parts.API.Lifecycle.Delete(b.Context(), tenant.ID(id)); err != nil {
					b.Fatal(err)
				}
				took += time.Since(began)
				b.StopTimer()
				stop()
				if left := s.inventory(id); len(left.objects) > 0 || left.rows[id]["documents"]+left.rows[id]["comments"] > 0 {
					b.Fatalf("%d objects and %v are left", len(left.objects), left.rows[id])
				}
				b.StartTimer()
			}
			b.ReportMetric(took.Seconds()/float64(b.N), "s/tenant")
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms-longest-lock")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fill gives a tenant rows, half of them below the other half, and objects.
func (s *service) fill(id string, rows, objects int) {
	s.t.Helper()
	ctx := tenant.NewContext(s.t.Context(), tenant.Identity{Tenant: tenant.ID(id), User: "alice@example.com", Role: "admin"})
	for _, sql := range []string{
		`insert into documents (tenant_id, id, slug, title, body) select @tenant::uuid, gen_random_uuid(), 's' || n, 'a title', repeat('x', 200)
			from generate_series(1, @rows) n`,
		`insert into comments (tenant_id, document_id, id, author, text) select tenant_id, id, gen_random_uuid(), 'alice@example.com', repeat('x', 100)
			from documents where tenant_id = @tenant::uuid`,
	} {
		if err := s.parts.DB.Strategy.Query(ctx, tenant.ID(id), sql, map[string]any{"tenant": id, "rows": rows / 2}, nil); err != nil {
			s.t.Fatal(err)
		}
	}
	var writers sync.WaitGroup
	prefix := s.parts.API.Files.Prefix(tenant.ID(id))
	for w := range 8 {
		writers.Go(func() {
			for n := w; n < objects; n += 8 {
				_, err := s.parts.Service.S3.PutObject(ctx, s.parts.Service.Bucket, fmt.Sprintf("%s1/f%d", prefix, n), nil, 0, minio.PutObjectOptions{})
				if err != nil {
					s.t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
}

// longestTransaction watches, until stop is called, for how long a transaction that deletes is open.
func (s *service) longestTransaction(longest *time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			var seconds float64
			err := s.parts.Service.Owner.QueryRow(ctx, `select coalesce(extract(epoch from max(clock_timestamp() - xact_start)), 0) from pg_stat_activity
				where state <> 'idle' and (query like 'with gone as (delete%' or query like 'drop %')`).Scan(&seconds)
			if err == nil {
				*longest = max(*longest, time.Duration(seconds*float64(time.Second)))
			}
		}
	})
	return func() { cancel(); watching.Wait() }
}
