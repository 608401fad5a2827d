package signing

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// A Seal marks texts that the service hands out and takes back, such as cursors: who changes one, or brings it to where it was
// not made for, is found out.
type Seal struct{ key []byte }

// NewSeal makes a seal with a key of its own. Processes that serve the same clients must share one: see SealWith.
func NewSeal() Seal {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	return Seal{key}
}

// SealWith makes the seal of a shared secret.
func SealWith(secret []byte) Seal { return Seal{append([]byte{}, secret...)} }

// Mark is a keyed digest (HMAC-SHA-256, 128 bits of it) of a list of texts. No two lists share one because of where a text
// ends and the next begins.
func (s Seal) Mark(texts ...string) string {
	mac := hmac.New(sha256.New, s.key)
	for _, text := range texts {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		mac.Write([]byte(text))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Sign returns the content, readable, with a mark that binds it to what else is named: its purpose, its tenant, its query.
func (s Seal) Sign(content string, bound ...string) string {
	return encode([]byte(content)) + "." + s.Mark(append(bound, content)...)
}

// Open returns what Sign was given, or ErrToken.
func (s Seal) Open(text string, bound ...string) (string, error) {
	content, mark, err := cut(text)
	if err != nil || !same(mark, s.Mark(append(bound, string(content))...)) {
		return "", ErrToken
	}
	return string(content), nil
}

func encode(content []byte) string { return base64.RawURLEncoding.EncodeToString(content) }

// cut parts a content from its mark.
func cut(text string) (content []byte, mark string, err error) {
	encoded, mark, _ := strings.Cut(text, ".")
	content, err = base64.RawURLEncoding.DecodeString(encoded)
	return content, mark, err
}

// same compares marks without telling by its time where they differ.
func same(mark, other string) bool { return hmac.Equal([]byte(mark), []byte(other)) }
