package faults

import (
	"slices"
	"sync"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/lifecycle"
	"github.com/partywall/partywall/reference/tenant"
)

// byName has parts know a tenant by its name, which another one may have after it.
func byName(p *reference.Parts) func(tenant.ID) tenant.ID {
	var names sync.Map
	draw := p.API.Lifecycle.NewID
	p.API.Lifecycle.NewID = func(slug string) tenant.ID {
		id := draw(slug)
		names.Store(id, slug)
		return id
	}
	return func(id tenant.ID) tenant.ID {
		if slug, ok := names.Load(id); ok {
			return tenant.ID(slug.(string))
		}
		return id
	}
}

// forgotten takes a part off the list of what a deletion purges.
func forgotten(p *reference.Parts, part string) {
	p.API.Lifecycle.Purgers = slices.DeleteFunc(p.API.Lifecycle.Purgers, func(u lifecycle.Purger) bool { return u.Name == part })
}
