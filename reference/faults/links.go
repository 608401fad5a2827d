package faults

import (
	"context"
	"io"
	"slices"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/signing"
	"github.com/partywall/partywall/reference/store"
)

// signedOnly are links that rest on their signature alone: nobody looks up who made them, or what they were made for.
func signedOnly(p *reference.Parts) {
	files := p.API.Files
	p.API.Linked.Holder = func(context.Context) (store.Session, error) {
		return store.Session{Email: "link", Role: "member"}, nil
	}
	p.API.Linked.Open = func(ctx context.Context, l signing.Link) (io.ReadCloser, int64, error) { return files.Get(ctx, l.Path) }
}

// uncovered takes parts of links out of what their mark covers.
func uncovered(p *reference.Parts, names ...string) {
	links := p.API.Linked.Links
	links.Covered = slices.DeleteFunc(links.Covered, func(part signing.Part) bool { return slices.Contains(names, part.Name) })
}
