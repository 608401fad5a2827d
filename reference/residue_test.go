package reference_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference/events"
	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// inventory is what the stores hold, in whatever form: rows of each tenant by table, keys of Redis with their values, keys of objects.
type inventory struct {
	rows    map[string]map[string]int
	keys    map[string]string
	objects map[string]bool
}

func (s *service) inventory(tenants ...string) inventory {
	s.t.Helper()
	out := inventory{rows: map[string]map[string]int{}, keys: map[string]string{}, objects: map[string]bool{}}
	for _, id := range tenants {
		out.rows[id] = s.rowsOf(id)
	}
	keys, err := s.parts.Service.Redis.Keys(s.t.Context(), "*").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, key := range keys {
		out.keys[key] = s.valueOf(key)
	}
	for o := range s.parts.Service.S3.ListObjects(s.t.Context(), s.parts.Service.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			s.t.Fatal(o.Err)
		}
		out.objects[o.Key] = true
	}
	return out
}

// rowsOf counts the rows of a tenant, in every room of the shared database that has tables of tenants, and in its own.
func (s *service) rowsOf(id string) map[string]int {
	s.t.Helper()
	ctx, base := s.t.Context(), s.parts.Service
	pools := []*pgxpool.Pool{base.Owner}
	if own, err := base.Open(ctx, "tenant_"+strings.ReplaceAll(id, "-", "")); err == nil {
		defer own.Close()
		pools = append(pools, own)
	}
	all := map[string]int{}
	for _, pool := range pools {
		rows, err := pool.Query(ctx, `select relname, (xpath('/row/n/text()', query_to_xml(
				format('select count(*) as n from %s where tenant_id = %L', c.oid::regclass, $1::text), false, true, '')))[1]::text::int
			from pg_class c join pg_attribute a on attrelid = c.oid where relkind = 'r' and attname = 'tenant_id'`, id)
		if err != nil {
			s.t.Fatal(err)
		}
		table, n := "", 0
		if _, err := pgx.ForEachRow(rows, []any{&table, &n}, func() error { all[table] += n; return nil }); err != nil {
			s.t.Fatal(err)
		}
	}
	return all
}

// valueOf a key of Redis, as text.
func (s *service) valueOf(key string) string {
	s.t.Helper()
	ctx, client := s.t.Context(), s.parts.Service.Redis
	var value any
	kind, err := client.Type(ctx, key).Result()
	switch kind {
	case "string":
		value, err = client.Get(ctx, key).Result()
	case "list":
		value, err = client.LRange(ctx, key, 0, -1).Result()
	case "hash":
		value, err = client.HGetAll(ctx, key).Result()
	case "set":
		value, err = client.SMembers(ctx, key).Result()
	case "zset":
		value, err = client.ZRangeWithScores(ctx, key, 0, -1).Result()
	case "stream":
		value, err = client.XRange(ctx, key, "-", "+").Result()
	}
	if err != nil {
		s.t.Fatal(key, err)
	}
	return fmt.Sprint(value)
}

// plantOne makes one of everything that a tenant can have.
func (s *service) plantOne(id, token, secret string) {
	s.t.Helper()
	for _, it := range items {
		see(s, token, it, it.plant(s, token, secret), secret) // what is read is cached
	}
	s.override(id, 15)
	limited := tenant.Identity{Tenant: tenant.ID(id), User: "alice@example.com", Tier: "free"} // its own tier has no limit to count for
	if err := s.parts.API.Allow(tenant.NewContext(s.t.Context(), limited)); err != nil {
		s.t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {"key"}}
	if status, _, body := s.raw(token, "POST", "/v1/categories", header, `{"name":"once"}`); status != 201 {
		s.t.Fatalf("it answers %d %s", status, body)
	}
}

// TestResidue: a tenant that had one of everything leaves nothing in any store when it is deleted, and its neighbour keeps all. The
// minimal record of a tenant stays: its line in the registry and, in shared tables, its trail.
func TestResidue(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		s.parts.API.Sender.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody answers") }
		idB, b := s.admit("globex")
		s.plantOne(idB, b, "secret")
		idA, a := s.admit("acme")
		empty := s.inventory(idB)
		s.plantOne(idA, a, "secret")
		s.parts.API.Jobs.Close()
		s.hook(a, "https://example.com")
		s.document(a, "told of too late") // its delivery waits
		if n, err := s.parts.Service.Redis.LLen(t.Context(), jobs.Key(tenant.ID(idA))).Result(); err != nil || n == 0 {
			t.Errorf("%d jobs wait, %v", n, err)
		}
		full := s.inventory(idA, idB)
		for _, table := range store.TenantTables() {
			if full.rows[idA][table] == 0 {
				t.Errorf("acme has nothing in %s", table)
			}
		}
		if len(full.keys) < len(empty.keys)+3 || len(full.objects) < len(empty.objects)+5 {
			t.Errorf("acme has %d keys and %d objects", len(full.keys)-len(empty.keys), len(full.objects)-len(empty.objects))
		}
		s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+idA, nil)
		left := s.inventory(idA, idB)
		for table, n := range left.rows[idA] {
			if n > 0 && table != "audit" {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
		for key, value := range left.keys {
			_, before := empty.keys[key]
			shared := strings.HasPrefix(key, "jobs:")
			if !before && !shared || strings.Contains(key+value, idA) || strings.Contains(key+value, jobs.Key(tenant.ID(idA))) {
				t.Errorf("Redis holds %s: %s", key, value)
			}
		}
		if !maps.Equal(left.objects, empty.objects) {
			t.Errorf("the bucket held %v, and holds %v", empty.objects, left.objects)
		}
		if !maps.Equal(left.rows[idB], full.rows[idB]) || slices.Min(slices.Collect(maps.Values(left.rows[idB]))) == 0 {
			t.Errorf("of globex there were %v, and are %v", full.rows[idB], left.rows[idB])
		}
		if _, err := s.parts.Service.Open(t.Context(), "tenant_"+strings.ReplaceAll(idA, "-", "")); err == nil {
			t.Error("its database is left")
		}
		for _, path := range []string{"/v1/exports", "/v1/webhooks", "/v1/file-versions/reports/q4.txt"} {
			if out, _ := s.want(200, b, "GET", path, nil)["items"].([]any); len(out) == 0 {
				t.Errorf("the neighbour has lost its %s", path)
			}
		}
	})
}

// TestNewPartsWantATenant: nor does what streams, works and keeps versions work without a tenant in the context.
func TestNewPartsWantATenant(t *testing.T) {
	s := start(t, "rls")
	ctx, a := context.Background(), s.parts.API
	_, subscribe := a.Feed.Subscribe(ctx, "")
	_, export := a.Exports.Create(ctx)
	_, exports := a.Exports.List(ctx, store.Page{Limit: 1})
	_, hook := a.Webhooks.Create(ctx, store.Webhook{})
	_, hooks := a.Webhooks.For(ctx, "documents")
	_, _, secret := a.Sender.NewSecret(ctx, "x")
	_, deliver := a.Sender.Deliver(ctx, "x", "https://example.com", "", nil)
	_, _, version := a.Files.GetVersion(ctx, "x", "x")
	_, versions := a.Files.Versions(ctx, "x", 1)
	_, write := a.Files.WriteExport(ctx, "x", strings.NewReader(""))
	_, _, read := a.Files.ReadExport(ctx, "x")
	for name, err := range map[string]error{
		"publish": a.Feed.Publish(ctx, events.Event{}), "subscribe": subscribe, "enqueue": a.Jobs.Enqueue(ctx, jobs.Job{}), "export": export,
		"exports": exports, "webhook": hook, "webhooks": hooks, "secret": secret, "deliver": deliver, "version": version, "versions": versions,
		"write an export": write, "read an export": read, "record": a.Audit.Append(ctx, "document.create", "x"),
	} {
		if !errors.Is(err, tenant.ErrMissing) {
			t.Errorf("%s without a tenant: %v", name, err)
		}
	}
}
