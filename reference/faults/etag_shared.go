package faults

import (
	"net/http"
	"sync"

	"github.com/partywall/partywall/reference"
)

func etagShared() Fault {
	return Fault{
		ID: "etag-shared", Mistake: "What has not changed is answered 304 from a memory of tags by path, before anybody asks whose it is.",
		Refs:        Refs{CheatSheet: "Prefix all cache keys with tenant identifier.", CWE: []int{203, 524}},
		Scenarios:   []string{"oracle/etag"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			var tags sync.Map // path to tag
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					tag, known := tags.Load(r.URL.Path)
					if asked := r.Header.Get("If-None-Match"); r.Method == http.MethodGet && known && (asked == tag || asked == "*") {
						w.Header().Set("ETag", tag.(string))
						w.WriteHeader(http.StatusNotModified)
						return
					}
					next.ServeHTTP(w, r)
					if tag := w.Header().Get("ETag"); tag != "" {
						tags.Store(r.URL.Path, tag)
					}
				})
			})
		},
	}
}
