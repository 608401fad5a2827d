package faults

import (
	"context"
	"errors"

	"github.com/minio/minio-go/v7"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/blobs"
	"github.com/partywall/partywall/reference/tenant"
)

func filesPrefixPurge() Fault {
	return Fault{
		ID: "files-prefix-purge", Mistake: `Files lie under the tenant's name, and all that begins with "tenants/acme" is purged with acme: acme-2 as well.`,
		Refs:        Refs{CheatSheet: "Ensure complete data deletion on tenant offboarding.", CWE: []int{187, 668}},
		Scenarios:   []string{"lifecycle/neighbour-survives"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			files := p.API.Files
			folder := func(id tenant.ID) string {
				record, _ := p.API.Tenants.ByID(context.Background(), id) // the tenant is there: it asks
				return "tenants/" + record.Slug
			}
			files.Prefix = func(id tenant.ID) string { return folder(id) + "/" }
			files.Key = func(id tenant.ID, name string) (string, error) { return folder(id) + "/" + name, blobs.Valid(name) }
			for i, purger := range p.API.Lifecycle.Purgers {
				if purger.Name == "files" {
					p.API.Lifecycle.Purgers[i].Purge = func(ctx context.Context, id tenant.ID) error {
						errs := []error{purger.Purge(ctx, id)}
						for o := range files.Client.ListObjects(ctx, files.Bucket, minio.ListObjectsOptions{Prefix: folder(id), Recursive: true}) {
							errs = append(errs, o.Err, files.Client.RemoveObject(ctx, files.Bucket, o.Key, minio.RemoveObjectOptions{}))
						}
						return errors.Join(errs...)
					}
				}
			}
		},
	}
}
