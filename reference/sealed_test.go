package reference_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/keys"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// object reads an object of the bucket as who runs the bucket does.
func (s *service) object(key string) (content []byte, marks map[string]string) {
	s.t.Helper()
	body, info, _, err := minio.Core{Client: s.parts.Service.S3}.GetObject(s.t.Context(), s.parts.Service.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		s.t.Fatal(key, err)
	}
	defer func() { _ = body.Close() }()
	if content, err = io.ReadAll(body); err != nil {
		s.t.Fatal(err)
	}
	return content, info.UserMetadata
}

func (s *service) setObject(key string, content []byte, marks map[string]string) {
	s.t.Helper()
	_, err := s.parts.Service.S3.PutObject(s.t.Context(), s.parts.Service.Bucket, key, bytes.NewReader(content), int64(len(content)),
		minio.PutObjectOptions{UserMetadata: marks})
	if err != nil {
		s.t.Fatal(err)
	}
}

func keyOf(t *testing.T, id, name string) string {
	t.Helper()
	key, err := blobs.Key(tenant.ID(id), name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestSwapped: whoever can write into the bucket can swap objects, with all that is written on them, and nobody reads what is not theirs,
// nor what stood under another name.
func TestSwapped(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		idA, a := s.admit("acme")
		idB, b := s.admit("globex")
		long := strings.Repeat("of acme ", 20_000)
		s.want(204, a, "PUT", "/v1/files/plan", long)
		s.want(204, a, "PUT", "/v1/files/other", "another of acme")
		s.want(204, b, "PUT", "/v1/files/plan", "of globex")
		inA, marksA := s.object(keyOf(t, idA, "plan"))
		otherA, marksOther := s.object(keyOf(t, idA, "other"))
		inB, marksB := s.object(keyOf(t, idB, "plan"))
		for _, content := range [][]byte{inA, otherA, inB} {
			if bytes.Contains(content, []byte("of acme")) || bytes.Contains(content, []byte("of globex")) {
				t.Errorf("the bucket holds %q", content[:20])
			}
		}
		reads := func(what, token, path string, status int, want string) {
			t.Helper()
			got, body := s.do(token, "GET", path, nil)
			if got != status || status == 200 && body != want || strings.Contains(body, "of acme") && token == b {
				t.Errorf("%s: %d with %d bytes", what, got, len(body))
			}
		}
		mark := func(marks map[string]string, name, value string) map[string]string {
			marks = maps.Clone(marks)
			marks[name] = value
			return marks
		}
		at := keyOf(t, idB, "plan")
		s.setObject(at, inA, marksA)
		reads("another's object", b, "/v1/files/plan", 404, "")
		s.setObject(at, inA, mark(marksA, "Partywall-Owner", marksB["Partywall-Owner"]))
		reads("another's object with a new owner", b, "/v1/files/plan", 404, "")
		s.setObject(at, inA, marksB)
		reads("another's content", b, "/v1/files/plan", 500, "")
		s.setObject(at, []byte("of globex"), marksB)
		reads("a content that nobody sealed", b, "/v1/files/plan", 500, "")
		s.setObject(at, inB, marksB)
		reads("the object again", b, "/v1/files/plan", 200, "of globex")

		at = keyOf(t, idA, "plan")
		s.setObject(at, otherA, marksOther)
		reads("another object of the tenant", a, "/v1/files/plan", 500, "")
		s.setObject(at, otherA, mark(marksOther, "Partywall-Version", marksA["Partywall-Version"]))
		reads("another object of the tenant with a new version", a, "/v1/files/plan", 500, "")
		s.setObject(at, inA, marksA)
		reads("the object again", a, "/v1/files/plan", 200, long)

		s.want(204, a, "PUT", "/v1/files/plan", "second of acme")
		versions := s.versions(a, "plan")
		first, marksFirst := s.object(blobs.VersionPrefix(tenant.ID(idA), "plan") + versions[1])
		s.setObject(blobs.VersionPrefix(tenant.ID(idA), "plan")+versions[0], first, marksFirst)
		reads("an older version under the id of a newer one", a, "/v1/files/plan?version="+versions[0], 500, "")
		reads("the older version", a, "/v1/files/plan?version="+versions[1], 200, long)
	})
}

// TestShredded: once a tenant's data keys are gone, a copy of its part of the bucket is worth nothing. Its neighbour's keys stay, and so do
// the keys of a tenant that moves to another tier.
func TestShredded(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		idA, a := s.admit("acme")
		_, b := s.admit("globex")
		s.want(204, a, "PUT", "/v1/files/plan", "of acme")
		s.want(204, b, "PUT", "/v1/files/plan", "of globex")
		identity := tenant.Identity{Tenant: tenant.ID(idA), User: "alice@example.com", Role: "admin", Tier: "test"}
		ctx := tenant.NewContext(t.Context(), identity)
		vault, _ := s.parts.API.Files.Cipher.(*keys.Vault)
		if err := vault.Rotate(ctx); err != nil {
			t.Fatal(err)
		}
		s.want(204, a, "PUT", "/v1/files/after", "of acme")
		for _, path := range []string{"/v1/files/plan", "/v1/files/after"} {
			if status, body := s.do(a, "GET", path, nil); status != 200 || body != "of acme" {
				t.Errorf("after a rotation %s is %d %s", path, status, body)
			}
		}
		s.want(204, s.parts.API.OperatorKey, "PUT", "/admin/tenants/"+idA+"/tier", map[string]string{"tier": "enterprise"})
		if status, body := s.do(a, "GET", "/v1/files/plan", nil); status != 200 || body != "of acme" {
			t.Errorf("on another tier it is %d %s", status, body)
		}

		copies := map[string][]byte{}
		marks := map[string]map[string]string{}
		for _, name := range []string{"plan", "after"} {
			key := keyOf(t, idA, name)
			copies[key], marks[key] = s.object(key)
		}
		before := s.rowsOf(idA)["data_keys"]
		s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+idA, nil)
		if left := s.rowsOf(idA)["data_keys"]; before != 2 || left != 0 {
			t.Errorf("of %d keys %d are left", before, left)
		}
		for key, content := range copies {
			s.setObject(key, content, marks[key])
		}
		if err := s.parts.DB.Strategy.Provision(ctx, tenant.ID(idA)); err != nil { // as if its rooms were there again
			t.Fatal(err)
		}
		for key := range copies {
			name := key[strings.LastIndex(key, "/")+1:]
			if _, _, err := s.parts.API.Files.Get(ctx, name); err == nil {
				t.Errorf("%s opens", name)
			}
		}
		if status, body := s.do(b, "GET", "/v1/files/plan", nil); status != 200 || body != "of globex" {
			t.Errorf("the neighbour's file is %d %s", status, body)
		}
	})
}

// TestForeignOwner: what carries another owner is not there, for whoever asks, and costs the owner nothing.
func TestForeignOwner(t *testing.T) {
	s := start(t, "row")
	idA, a := s.admit("acme")
	s.want(204, a, "PUT", "/v1/files/plan", "of acme")
	content, marks := s.object(keyOf(t, idA, "plan"))
	_, nothing := s.do(a, "GET", "/v1/files/nothing", nil)
	for _, owner := range []string{"", "x", strings.ToUpper(marks["Partywall-Owner"]), marks["Partywall-Owner"] + " x"} {
		foreign := maps.Clone(marks)
		foreign["Partywall-Owner"] = owner
		s.setObject(keyOf(t, idA, "plan"), content, foreign)
		if status, body := s.do(a, "GET", "/v1/files/plan", nil); status != 404 || body != nothing {
			t.Errorf("of the owner %q it answers %d %s", owner, status, body)
		}
		s.want(404, a, "DELETE", "/v1/files/plan", nil)
		s.want(404, a, "GET", "/v1/file-versions/plan", nil)
	}
	s.setObject(keyOf(t, idA, "plan"), content, marks)
	s.want(204, a, "DELETE", "/v1/files/plan", nil)
}

// TestNoKey: a tenant that lost its keys is told of no success.
func TestNoKey(t *testing.T) {
	s := start(t, "row")
	id, a := s.admit("acme")
	ctx := tenant.NewContext(context.Background(), tenant.Identity{Tenant: tenant.ID(id), Role: "admin"})
	if err := s.parts.DB.Strategy.Query(ctx, tenant.ID(id), `delete from data_keys where tenant_id = @tenant::uuid`, map[string]any{"tenant": id}, nil); err != nil {
		t.Fatal(err)
	}
	s.want(500, a, "PUT", "/v1/files/plan", "of acme")
	s.want(404, a, "GET", "/v1/files/plan", nil)
	if _, ok, err := store.NewDataKeys(s.parts.DB).Get(ctx, "x"); ok || err != nil {
		t.Errorf("a key that no tenant has: %v, %v", ok, err)
	}
}
