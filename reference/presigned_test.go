package reference_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/tenant"
)

// presign asks for a URL of the store.
func (s *service) presign(status int, token, path string) string {
	s.t.Helper()
	return text(s.want(status, token, "POST", "/v1/links", map[string]any{"path": path, "method": "GET", "expires_in": 60, "store": true}), "url")
}

// fetched asks the store, without any login.
func fetched(t *testing.T, method, address string, header http.Header) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

// TestPlain: files of the smaller tiers lie as they are, all others sealed; each says how, so that a change of the tier hides nothing, and
// what says that it lies plain, and does not, is not there.
func TestPlain(t *testing.T) {
	s := start(t, "row")
	for tier, plain := range map[string]bool{"test-plain": true, "free": true, "starter": true, "test": false, "business": false} {
		token := s.admitTo("of-"+tier, tier)
		s.want(204, token, "PUT", "/v1/files/plan", "of "+tier)
		id := text(s.want(200, token, "GET", "/v1/whoami", nil), "tenant")
		content, _ := s.object(keyOf(t, id, "plan"))
		if got := string(content) == "of "+tier; got != plain {
			t.Errorf("at the tier %s a file lies as %q", tier, content)
		}
	}
	token := s.admitTo("acme", "test-plain")
	id := text(s.want(200, token, "GET", "/v1/whoami", nil), "tenant")
	tier := func(to string) {
		s.want(204, s.parts.API.OperatorKey, "PUT", "/admin/tenants/"+id+"/tier", map[string]string{"tier": to})
	}
	s.want(204, token, "PUT", "/v1/files/old", "lies plain")
	tier("test")
	s.want(204, token, "PUT", "/v1/files/new", "lies sealed, and is longer")
	for range 2 {
		for path, want := range map[string]string{"old": "lies plain", "new": "lies sealed, and is longer"} {
			if _, body := s.do(token, "GET", "/v1/files/"+path, nil); body != want {
				t.Errorf("%s reads %q", path, body)
			}
			listed := fmt.Sprint(s.want(200, token, "GET", "/v1/files", nil), s.want(200, token, "GET", "/v1/file-versions/"+path, nil))
			if strings.Count(listed, fmt.Sprintf("size:%d", len(want))) != 2 {
				t.Errorf("%s has %d bytes, and is listed in %s", path, len(want), listed)
			}
		}
		s.presign(409, token, "new") // whatever the tier is now
		tier("test-plain")
	}
	s.presign(201, token, "old")
	tier("test")
	s.presign(409, token, "old")

	// Who can write into the bucket puts something plain in the place of what was sealed, with the marks of what lay plain.
	_, sealed := s.object(keyOf(t, id, "new"))
	_, plain := s.object(keyOf(t, id, "old"))
	for name, key := range map[string]string{"another's mark": plain["Partywall-Key"], "no mark": "plain:"} {
		sealed["Partywall-Key"] = key
		s.setObject(keyOf(t, id, "new"), []byte("forged"), sealed)
		if status, body := s.do(token, "GET", "/v1/files/new", nil); status != 404 {
			t.Errorf("with %s it answers %d %s", name, status, body)
		}
	}
	s.want(204, s.parts.API.OperatorKey, "DELETE", "/admin/tenants/"+id, nil)
}

// TestPresigned: a URL of the store hands out one content of one file of its tenant, by GET, for a short while, and whatever else is asked
// of it in its stead is refused by the store.
func TestPresigned(t *testing.T) {
	s := start(t, "row")
	a, b := s.admitTo("acme", "test-plain"), s.admitTo("globex", "test-plain")
	s.want(204, a, "PUT", "/v1/files/plan", "of acme")
	s.want(204, a, "PUT", "/v1/files/other", "another of acme")
	s.want(204, b, "PUT", "/v1/files/plan", "of globex")
	signed := s.presign(201, a, "plan")
	idA := text(s.want(200, a, "GET", "/v1/whoami", nil), "tenant")
	if prefix := strings.TrimSuffix(blobs.Prefix(tenant.ID(idA)), "files/"); !strings.Contains(signed, "/"+prefix) {
		t.Errorf("it does not lie below %s: %s", prefix, signed)
	}
	opens := func(want int) {
		t.Helper()
		status, header, body := fetched(t, "GET", signed, nil)
		if status != want || status == 200 && (body != "of acme" || header.Get("Content-Disposition") != "attachment" || header.Get("Content-Type") != "application/octet-stream") {
			t.Errorf("the store answers %d %s %v", status, body, header)
		}
	}
	opens(200)
	s.want(204, a, "PUT", "/v1/files/plan", "written later")
	opens(200)

	other, foreign := s.presign(201, a, "other"), s.presign(201, b, "plan")
	path := func(of string) string { before, _, _ := strings.Cut(of, "?"); return before }
	query := func(change func(url.Values)) string {
		u, err := url.Parse(signed)
		if err != nil {
			t.Fatal(err)
		}
		values := u.Query()
		change(values)
		return path(signed) + "?" + values.Encode()
	}
	set := func(name, value string) string { return query(func(v url.Values) { v.Set(name, value) }) }
	swapped := func(key string) string { return path(key) + signed[len(path(signed)):] }
	bucket := s.parts.Service.Bucket
	for name, try := range map[string]struct {
		method, url string
		header      http.Header
	}{
		"another key": {"GET", swapped(other), nil}, "a foreign key": {"GET", swapped(foreign), nil}, "the whole bucket": {"GET", swapped(path(signed)[:strings.Index(signed, bucket)+len(bucket)] + "/"), nil},
		"another bucket": {"GET", strings.Replace(signed, bucket, bucket+"x", 1), nil}, "no signature": {"GET", path(signed), nil},
		"PUT": {"PUT", signed, nil}, "DELETE": {"DELETE", signed, nil}, "HEAD": {"HEAD", signed, nil}, "POST": {"POST", signed, nil},
		"a longer life": {"GET", set("X-Amz-Expires", "604800"), nil}, "a later date": {"GET", set("X-Amz-Date", "20991231T000000Z"), nil},
		"another type": {"GET", set("response-content-type", "text/html"), nil}, "no disposition": {"GET", query(func(v url.Values) { v.Del("response-content-disposition") }), nil},
		"inline": {"GET", set("response-content-disposition", "inline"), nil}, "one parameter more": {"GET", set("response-cache-control", "public"), nil},
		"a version": {"GET", set("versionId", "null"), nil}, "the access control": {"GET", set("acl", ""), nil},
		"a copy": {"PUT", signed, http.Header{"X-Amz-Copy-Source": {strings.TrimPrefix(path(foreign), path(signed)[:strings.Index(signed, bucket)-1])}}},
	} {
		if status, _, body := fetched(t, try.method, try.url, try.header); status < 400 {
			t.Errorf("%s: the store answers %d %s", name, status, body)
		}
	}
	for _, bad := range []map[string]any{
		{"method": "PUT", "path": "plan", "expires_in": 60, "store": true},
		{"method": "GET", "path": "plan", "expires_in": 301, "store": true},
		{"method": "GET", "path": "../plan", "expires_in": 60, "store": true},
	} {
		s.want(400, a, "POST", "/v1/links", bad)
	}
	for _, address := range []string{foreign, other} { // neither names nor whole keys lead to what another tenant has
		key := strings.TrimPrefix(path(address)[strings.Index(address, bucket)+len(bucket):], "/")
		s.presign(404, b, key)
	}
	s.presign(404, b, "other")
	s.want(204, a, "DELETE", "/v1/files/plan", nil)
	opens(404)
	if trail := strings.Join(s.trail(a), "\n"); !strings.Contains(trail, "GET from the store plan") || strings.Contains(trail, "X-Amz") {
		t.Errorf("the trail is %s", trail)
	}
}
