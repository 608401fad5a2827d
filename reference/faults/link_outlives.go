package faults

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/signing"
)

func linkOutlives() Fault {
	return Fault{
		ID: "link-outlives", Mistake: "What a link has opened once is kept beside, to be quick, and nobody forgets it when the file is deleted.",
		Refs: Refs{
			CheatSheet: "Insecure Tenant Onboarding/Offboarding: Incomplete provisioning or data retention after deletion.", CWE: []int{672, 459},
		},
		Scenarios:   []string{"lifecycle/link-after-delete"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			var kept sync.Map
			open := p.API.Linked.Open
			p.API.Linked.Open = func(ctx context.Context, l signing.Link) (io.ReadCloser, int64, error) {
				if content, ok := kept.Load(l); ok {
					data, _ := content.([]byte)
					return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
				}
				body, _, err := open(ctx, l)
				if err != nil {
					return nil, 0, err
				}
				defer func() { _ = body.Close() }()
				data, err := io.ReadAll(body)
				kept.Store(l, data)
				return io.NopCloser(bytes.NewReader(data)), int64(len(data)), err
			}
		},
	}
}
