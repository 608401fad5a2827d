package scenarios

import (
	"bytes"
	"context"
	"errors"

	"github.com/partywall/partywall/harness"
)

var errEmptyExport = errors.New("an export does not show what its tenant has: nothing can be said of what else it holds")

// downloading is the request that fetches an export.
func downloading(o *harness.Object) harness.Call {
	op, ok := o.Resource.Operation(harness.Download)
	if !ok {
		return harness.Call{}
	}
	return harness.NewCall(o.Resource, op, o.Values)
}

// fetched downloads an export as its owner. It must hold something of its owner's; what else it holds the judge sees.
func fetched(ctx context.Context, w *harness.World, o *harness.Object) error {
	send := w.Control
	if o.Owner == w.Attacker().Tenant { // what it gets with it is what is looked for
		send = w.AttackAs
	}
	e := send(ctx, w.Actor(o.Owner), downloading(o))
	for _, held := range w.Holdings(o.Owner) {
		for _, f := range held.Resource.Fields {
			if value := held.Values[f.Name]; e.OK && f.Fixed == "" && len(value) > 8 && bytes.Contains(e.Response.Body, []byte(value)) {
				return nil
			}
		}
	}
	return errEmptyExport
}
