package faults

import (
	"context"
	"time"

	"github.com/partywall/partywall/reference"
)

func presignWithoutTenant() Fault {
	return Fault{
		ID: "presign-without-tenant", Mistake: "What the client names is taken for a key of the store and signed, without the prefix of its tenant and without a look at whose it is.",
		Refs:        Refs{CheatSheet: "Use signed URLs with tenant context embedded.", CWE: []int{639, 345}},
		Scenarios:   []string{"storage/presigned-tampering"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			good, files := p.API.Linked.Presign, p.API.Files
			p.API.Linked.Presign = func(ctx context.Context, path string, lasts time.Duration) (string, error) {
				if signed, err := good(ctx, path, lasts); err == nil {
					return signed, nil
				}
				signed, err := files.Client.PresignedGetObject(ctx, files.Bucket, path, lasts, nil)
				if err != nil {
					return "", err
				}
				return signed.String(), nil
			}
		},
	}
}
