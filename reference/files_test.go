package reference_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
)

// versions of a file, newest first.
func (s *service) versions(token, path string) (ids []string) {
	s.t.Helper()
	items, _ := s.want(200, token, "GET", "/v1/file-versions/"+path, nil)["items"].([]any)
	for _, item := range items {
		version, _ := item.(map[string]any)
		if version["at"] == "" || version["size"] == 0.0 {
			s.t.Errorf("a version of %s is %v", path, version)
		}
		ids = append(ids, text(version, "id"))
	}
	return ids
}

// TestFileVersions: every content that a file ever had can be read by its id, of this tenant and under this name only.
func TestFileVersions(t *testing.T) {
	s := start(t, "row")
	_, a := s.admit("acme")
	_, b := s.admit("globex")
	paths := []string{"a", "a/b", "a/b/c", "1/a", "files/1/a", "versions/x"}
	for _, path := range paths {
		for n := range 3 {
			s.want(204, a, "PUT", "/v1/files/"+path, fmt.Sprint("acme ", path, n))
		}
		s.want(204, b, "PUT", "/v1/files/"+path, "globex "+path)
	}
	nobody, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		ids := s.versions(a, path)
		if len(ids) != 3 {
			t.Fatalf("%s has the versions %q", path, ids)
		}
		for i, id := range ids {
			want := fmt.Sprint("acme ", path, 2-i)
			if status, body := s.do(a, "GET", "/v1/files/"+path+"?version="+id, nil); status != 200 || body != want {
				t.Errorf("version %d of %s answers %d %q", i, path, status, body)
			}
		}
		for token, at := range map[string]string{a: "a/b", b: path} { // another path of the tenant; the same path of another one
			if path == at && token == a {
				continue
			}
			_, want := s.do(token, "GET", "/v1/files/"+at+"?version="+nobody.String(), nil)
			for _, id := range []string{ids[0], strings.ToUpper(ids[0]), "", "x", "../" + ids[0], "%00"} {
				if status, body := s.do(token, "GET", "/v1/files/"+at+"?version="+id, nil); status == 200 || id == ids[0] && body != want {
					t.Errorf("the version %q of %s answers %d %s at %s, none answers %s", id, path, status, body, at, want)
				}
			}
		}
	}
	listed := fmt.Sprint(s.want(200, a, "GET", "/v1/files", nil)["items"])
	for _, path := range paths {
		if !strings.Contains(listed, "path:"+path+" ") {
			t.Errorf("%s is not listed in %s", path, listed)
		}
	}
	last := s.versions(a, "a")[2]
	s.want(204, a, "DELETE", "/v1/files/a", nil)
	s.want(404, a, "GET", "/v1/file-versions/a", nil)
	s.want(404, a, "GET", "/v1/files/a?version="+last, nil)
	s.want(204, a, "PUT", "/v1/files/a", "new")
	if ids := s.versions(a, "a"); len(ids) != 1 || len(s.versions(a, "a/b")) != 3 || len(s.versions(b, "a")) != 1 {
		t.Errorf("after its deletion a has the versions %q", ids)
	}
	// A store on a file system cannot hold an object where another needs a folder.
	var keys []string
	for o := range s.parts.Service.S3.ListObjects(t.Context(), s.parts.Service.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		keys = append(keys, o.Key)
	}
	for _, key := range keys {
		for _, other := range keys {
			if strings.HasPrefix(other, key+"/") {
				t.Errorf("%s is an object and a folder of %s", key, other)
			}
		}
	}
}
