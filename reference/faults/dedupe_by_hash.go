package faults

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/partywall/partywall/reference"
)

func dedupeByHash() Fault {
	return Fault{
		ID: "dedupe-by-hash", Mistake: "Equal contents are kept once, for all tenants, and a client that sends the digest of one need not send the content.",
		Refs:        Refs{CheatSheet: "Shared Resource Poisoning: Cache poisoning, queue injection, or storage pollution affecting other tenants.", CWE: []int{639, 345}},
		Scenarios:   []string{"storage/hash-claim"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			var known sync.Map
			p.API.Middleware = append(p.API.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/v1/files/") {
						content, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
						if kept, ok := known.Load(r.Header.Get("X-Content-SHA256")); ok && len(content) == 0 && err == nil {
							content, _ = kept.([]byte)
						}
						sum := sha256.Sum256(content)
						known.Store(hex.EncodeToString(sum[:]), content)
						r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
					}
					next.ServeHTTP(w, r)
				})
			})
		},
	}
}
