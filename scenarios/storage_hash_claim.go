package scenarios

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"

	"github.com/partywall/partywall/harness"
)

func storageHashClaim() harness.Scenario {
	return harness.Scenario{
		ID:    "storage/hash-claim",
		Claim: "who knows the digest of a content has not uploaded it",
		Why: "Stores that keep equal contents once are tempted to skip the upload of what they have already. Then a digest, which is no secret and " +
			"stands in manifests and logs, is worth the content, whoever owns it.",
		Fix: "Keep equal contents once within a tenant only, or not at all; and ask for the bytes, whatever the digest.",
		Refs: harness.Refs{
			CheatSheet: []string{"Validate tenant ownership before serving files.", "Cross-Tenant Data Leakage"},
			CWE:        []int{639, 345}, OWASP: []string{"API1"}, Techniques: []string{"45"},
		},
		Needs: harness.Needs{Objects: true, Chosen: true, Verbs: []harness.Verb{harness.Read}},
		Attack: func(ctx context.Context, w *harness.World) error {
			for _, f := range w.Resource().Fields {
				content := w.Theirs().Values[f.Name]
				c, ok := w.Call(harness.Create, w.Mine())
				if !ok || content == "" {
					continue
				}
				for _, own := range w.Resource().Fields {
					c.Values[own.Name] = ""
				}
				c.Header, c.Label = digests(content), "the digest of the victim's "+f.Name+" instead of a content"
				w.Attack(ctx, c)
				if c, ok := w.Call(harness.Read, w.Mine()); ok {
					c.Label = "what was claimed by its digest"
					w.Attack(ctx, c)
				}
			}
			return nil
		},
	}
}

// digests of a content, under the names that uploads know them by.
func digests(content string) http.Header {
	long, short := sha256.Sum256([]byte(content)), md5.Sum([]byte(content))
	b64 := base64.StdEncoding.EncodeToString(long[:])
	header := http.Header{}
	for name, value := range map[string]string{
		"Content-Digest": "sha-256=:" + b64 + ":", "Digest": "SHA-256=" + b64, "X-Content-SHA256": hex.EncodeToString(long[:]),
		"X-Amz-Checksum-Sha256": b64, "Content-MD5": base64.StdEncoding.EncodeToString(short[:]), "X-Checksum-Sha256": hex.EncodeToString(long[:]),
	} {
		header.Set(name, value)
	}
	return header
}
