package reference_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/jobs"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
	"github.com/partywall/partywall/reference/tenant"
)

// exported asks for an export, waits for it and returns its id.
func (s *service) exported(token string) string {
	s.t.Helper()
	id := text(s.want(202, token, "POST", "/v1/exports", nil), "id")
	s.until("the export is done", func() bool {
		status := text(s.want(200, token, "GET", "/v1/exports/"+id, nil), "status")
		if status == store.ExportFailed {
			s.t.Fatal("the export failed")
		}
		return status == store.ExportDone
	})
	return id
}

// content is all that an export holds, file by file.
func (s *service) content(token, id string) map[string]string {
	s.t.Helper()
	status, data := s.do(token, "GET", "/v1/exports/"+id+"/download", nil)
	if status != 200 {
		s.t.Fatalf("the download answers %d %s", status, data)
	}
	return s.unzipped(data)
}

// unzipped is what an archive holds, file by file.
func (s *service) unzipped(data string) map[string]string {
	s.t.Helper()
	archive, err := zip.NewReader(bytes.NewReader([]byte(data)), int64(len(data)))
	if err != nil {
		s.t.Fatal(err)
	}
	files := map[string]string{}
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			s.t.Fatal(err)
		}
		all, err := io.ReadAll(r)
		if err != nil {
			s.t.Fatal(err)
		}
		files[file.Name] = string(all)
	}
	return files
}

// TestExport: an export holds all that its tenant has, and nothing of its neighbour.
func TestExport(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		_, a := s.admit("acme")
		_, b := s.admit("globex")
		for token, own := range map[string]string{a: "of acme", b: "of globex"} {
			for _, it := range items {
				it.plant(s, token, own)
			}
			doc := s.document(token, "with a comment")
			s.want(201, token, "POST", "/v1/documents/"+doc+"/comments", map[string]string{"text": own})
		}
		for token, own := range map[string]string{a: "of acme", b: "of globex"} {
			files := s.content(token, s.exported(token))
			for _, name := range []string{"documents", "comments", "categories", "projects", "notes", "invoices", "preferences"} {
				if got := files[name+".json"]; !strings.Contains(got, own) || strings.Count(got, "of ") != strings.Count(got, own) {
					t.Errorf("%s: the export holds %s", own, got)
				}
			}
		}
	})
}

// TestManyExported: an export goes on behind the first page.
func TestManyExported(t *testing.T) {
	s := start(t, "row")
	id, a := s.admit("acme")
	_, err := s.parts.Service.Owner.Exec(t.Context(), `insert into documents (tenant_id, id, slug, title, body)
		select $1::uuid, gen_random_uuid(), 's' || n, 'x', 'x' from generate_series(1, 450) n`, id)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(s.content(a, s.exported(a))["documents.json"], `"slug"`); got != 450 {
		t.Errorf("the export holds %d documents of 450", got)
	}
}

// TestForgedJob: who writes to the queue makes nothing happen at a tenant, and a job of a deleted tenant is dropped.
func TestForgedJob(t *testing.T) {
	seal := signing.NewSeal()
	s := start(t, "row", func(p *reference.Parts) { p.API.Jobs.Seal = seal })
	idA, a := s.admit("acme")
	idB, b := s.admit("globex")
	idC, _ := s.admit("initech")
	ctx, client := t.Context(), s.parts.Service.Redis
	// An export of a that nobody is to make, and an envelope of b for it.
	as := func(id string) context.Context {
		return tenant.NewContext(ctx, tenant.Identity{Tenant: tenant.ID(id), User: "alice@example.com", Role: "admin"})
	}
	victim, err := s.parts.API.Exports.Create(as(idA))
	if err != nil {
		t.Fatal(err)
	}
	s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+idC, nil)
	// put lays an envelope into a queue, past the API.
	put := func(queue, text string) {
		for _, err := range []error{
			client.RPush(ctx, jobs.Key(tenant.ID(queue)), text).Err(), client.RPush(ctx, "jobs:ready", jobs.Key(tenant.ID(queue))).Err(),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	made := func(tenant string) string {
		return `{"nonce":"n` + rand.Text() + `","tenant":"` + tenant + `","user":"alice@example.com","role":"admin","at":"` +
			time.Now().Format(time.RFC3339) + `","job":{"kind":"export","id":"` + victim.ID + `"}}`
	}
	put(idA, signing.NewSeal().Sign(made(idA), "job")) // another key
	put(idA, made(idA))                                // none
	put(idA, seal.Sign(made(idB), "job"))              // b's own, in a's queue
	put(idB, seal.Sign(made(idB), "job"))              // b's own, naming what a owns
	put(idC, seal.Sign(made(idC), "job"))              // of a tenant that is gone
	put("", seal.Sign(made(""), "job"))                // of none
	// Each queue is worked in order: when the last export is done, so is all before it.
	mine := []string{s.exported(a), s.exported(b)}
	if got := text(s.want(200, a, "GET", "/v1/exports/"+victim.ID, nil), "status"); got != store.ExportQueued {
		t.Errorf("the export that nobody asked for is %s", got)
	}
	s.want(409, a, "GET", "/v1/exports/"+victim.ID+"/download", nil)
	s.want(404, b, "GET", "/v1/exports/"+mine[0]+"/download", nil)
	s.want(404, a, "GET", "/v1/exports/"+mine[1]+"/download", nil)
	// The job of a tenant that was deleted in between is gone with it.
	s.parts.API.Jobs.Close()
	id, d := s.admit("umbrella")
	s.want(202, d, "POST", "/v1/exports", nil)
	s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
	if n, err := client.Exists(ctx, jobs.Key(tenant.ID(id))).Result(); err != nil || n > 0 {
		t.Errorf("the queue of the deleted tenant is still there, %v", err)
	}
	s.want(202, a, "POST", "/v1/exports", nil)
	s.want(202, a, "POST", "/v1/exports", nil)
	s.want(409, a, "POST", "/v1/exports", nil)
}
