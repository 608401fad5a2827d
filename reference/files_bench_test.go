package reference_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/tenant"
)

// unsealed is a cipher that seals nothing: the baseline.
type unsealed struct{}

func (unsealed) Seal(_ context.Context, content io.Reader, _ string) (io.Reader, string, error) {
	return content, "", nil
}

func (unsealed) Open(_ context.Context, sealed io.Reader, _, _ string) (io.Reader, error) {
	return sealed, nil
}
func (unsealed) SealedSize(size int64) int64   { return size }
func (unsealed) OpenedSize(sealed int64) int64 { return sealed }

var _ blobs.Cipher = unsealed{}

// BenchmarkFiles is 10 MB up and down through the whole service, sealed and not.
func BenchmarkFiles(b *testing.B) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16)
	for _, way := range []string{"PUT", "GET"} {
		for _, kind := range []string{"plain", "sealed"} {
			b.Run(way+"/"+kind, func(b *testing.B) {
				s := start(b, "row", func(p *reference.Parts) {
					if kind == "plain" {
						p.API.Files.Cipher = unsealed{}
					}
				})
				_, token := s.admit("acme")
				send := func(method string, body []byte) {
					r, err := http.NewRequestWithContext(b.Context(), method, s.url+"/v1/files/big", bytes.NewReader(body))
					if err != nil {
						b.Fatal(err)
					}
					r.Header.Set("Authorization", "Bearer "+token)
					answer, err := http.DefaultClient.Do(r)
					if err != nil {
						b.Fatal(err)
					}
					n, err := io.Copy(io.Discard, answer.Body)
					_ = answer.Body.Close()
					if err != nil || answer.StatusCode > 299 || method == "GET" && n != int64(len(content)) {
						b.Fatal(answer.Status, n, err)
					}
				}
				send("PUT", content)
				b.SetBytes(int64(len(content)))
				for b.Loop() {
					if way == "PUT" {
						send("PUT", content)
					} else {
						send("GET", nil)
					}
				}
			})
		}
	}
}

// BenchmarkLinks is how many links are signed and checked.
func BenchmarkLinks(b *testing.B) {
	links := signing.NewLinks(time.Now)
	link := signing.Link{
		Tenant: tenant.New(), Path: "reports/2026/q3.txt", Version: string(tenant.New()), Method: "GET", Expires: time.Now().Add(time.Hour).Unix(),
		Session: string(tenant.New()),
	}
	token := links.Sign(link)
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			links.Sign(link)
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if _, err := links.Read(token, "GET"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
