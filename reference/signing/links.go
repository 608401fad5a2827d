package signing

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// MaxLink is the longest time that a link lasts.
const MaxLink = time.Hour

// Link lets whoever holds it do one thing with one file of a tenant, until it expires.
type Link struct {
	Tenant tenant.ID `json:"tenant"`
	Path   string    `json:"path"`
	// Version of the file, for reading: what is written there later, under the same name, is not what was linked.
	Version string `json:"version,omitempty"`
	Method  string `json:"method"`
	Expires int64  `json:"expires"` // seconds since 1970
	// Session that it was made in: who ends it ends the link.
	Session string `json:"session"`
	// Once is a word by which a link is known that is good for one request; empty: for many.
	Once string `json:"once,omitempty"`
}

// A Part of a link, by its name.
type Part struct {
	Name string
	Of   func(Link) string
}

// Links are signed and read. All that a link says stands in its token, readable for everybody, and a mark covers every part of it.
type Links struct {
	Seal Seal
	Now  func() time.Time
	// Covered are the parts that the mark covers.
	Covered []Part
	// Serves tells whether a link is good for a method.
	Serves func(l Link, method string) bool
}

// NewLinks makes links with a seal of their own. Processes that serve the same clients must share one: see LinksWith.
func NewLinks(now func() time.Time) *Links { return links(NewSeal(), now) }

// LinksWith makes the links of a shared secret.
func LinksWith(secret []byte, now func() time.Time) *Links { return links(SealWith(secret), now) }

func links(seal Seal, now func() time.Time) *Links {
	return &Links{
		Seal: seal, Now: now,
		Covered: []Part{
			{"tenant", func(l Link) string { return string(l.Tenant) }},
			{"path", func(l Link) string { return l.Path }},
			{"version", func(l Link) string { return l.Version }},
			{"method", func(l Link) string { return l.Method }},
			{"expires", func(l Link) string { return strconv.FormatInt(l.Expires, 10) }},
			{"session", func(l Link) string { return l.Session }},
			{"once", func(l Link) string { return l.Once }},
		},
		Serves: func(l Link, method string) bool { return l.Method == method },
	}
}

// Sign returns the token of a link.
func (k *Links) Sign(l Link) string {
	content, err := json.Marshal(l)
	if err != nil {
		panic(err) // texts and a number always marshal
	}
	return encode(content) + "." + k.mark(l)
}

// Read returns the link that a token is for, or ErrToken: unless the token was made here, is good for the method, and has not expired.
func (k *Links) Read(token, method string) (Link, error) {
	content, mark, err := cut(token)
	var l Link
	if err != nil || json.Unmarshal(content, &l) != nil || !same(mark, k.mark(l)) || !k.Serves(l, method) || k.Now().Unix() >= l.Expires {
		return Link{}, ErrToken // the cause is for nobody who presents such a token
	}
	return l, nil
}

func (k *Links) mark(l Link) string {
	texts := []string{"link"}
	for _, part := range k.Covered {
		texts = append(texts, part.Of(l))
	}
	return k.Seal.Mark(texts...)
}
