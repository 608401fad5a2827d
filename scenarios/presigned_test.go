package scenarios

import (
	"net/http"
	"strings"
	"testing"

	"github.com/partywall/partywall/harness"
)

// TestChangedURLs: each change is one, and leaves the rest as it was.
func TestChangedURLs(t *testing.T) {
	const signed = "http://store:9000/bucket/tenants/a/one?X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-Signature=s&response-content-type=text%2Fplain"
	foreign := strings.Replace(strings.Replace(signed, "a/one", "a/two", 1), "=s&", "=t&", 1)
	seen := map[string]bool{}
	for _, c := range changed(signed, foreign, signed) {
		if seen[c.what] || c.method == http.MethodGet && c.address == signed {
			t.Errorf("%s: %s %s", c.what, c.method, c.address)
		}
		if seen[c.what] = true; !strings.HasPrefix(c.address, "http://store:9000/bucket") || strings.Contains(c.address, "Signature=t") {
			t.Errorf("%s: %s", c.what, c.address)
		}
	}
	for _, what := range []string{"another key", "a longer life", "a later date", "another bucket", "another content type", "the method PUT", "a copy of another key"} {
		if !seen[what] {
			t.Errorf("there is none with %s in %v", what, seen)
		}
	}
}

func TestJudgePresigned(t *testing.T) {
	for status, want := range map[int]int{200: 1, 204: 1, 302: 1, 403: 0, 404: 0, 503: 0, 0: 0} {
		h := &harness.History{Exchanges: []*harness.Exchange{
			{ID: "1", Label: "something else", Response: harness.Response{Status: 200}},
			{ID: "2", Label: presigned + "another key", Response: harness.Response{Status: status}},
		}}
		if found, err := judgePresigned(h); err != nil || len(found) != want {
			t.Errorf("at %d it finds %+v, %v", status, found, err)
		}
	}
}
