// Package faults breaks the reference service, one way at a time.
//
// A fault edits the parts before they are wired, the way a careless developer would have written them, and each is modelled
// on a line of the cheat sheet or on a public bug. Faults prove the harness: every one must be caught by a scenario, in
// every strategy it applies to, or be contained by another wall, which is shown by taking that wall away.
//
// To add one, write a file with a function that returns a Fault and run go generate.
package faults

//go:generate go run ../../internal/listing -type Fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/partywall/partywall/reference"
	"github.com/partywall/partywall/reference/store"
)

// A Fault is one mistake.
type Fault struct {
	ID string
	// Mistake in one sentence, as somebody would admit it.
	Mistake string
	Refs    Refs
	// Scenarios that are expected to catch it.
	Scenarios []string
	// Strategies in which it applies; empty means all.
	Strategies []string
	// Indifferent to the strategy: it breaks a part that none of them touches, so that what is seen in one holds for all.
	Indifferent bool
	// Replicas of the service without which the mistake does not show. Most are looked at in one process, where what tenants share in
	// memory is met for certain.
	Replicas int
	// Walls that may hold in its stead.
	Walls []Wall
	// Plant edits the parts.
	Plant func(*reference.Parts)
}

// Refs ties a fault to the public record.
type Refs struct {
	CheatSheet string   `json:"cheat_sheet"`
	CWE        []int    `json:"cwe,omitempty"`
	Bugs       []string `json:"bugs,omitempty"`
}

// A Wall is a layer that isolates, with a way to take it away.
type Wall struct {
	Name       string
	Strategies []string // in which it stands; empty means all
	Off        func(*reference.Parts)
}

// ownRoom is the wall of a tenant's own schema or database: another's rows are not there. It is taken away by putting all
// tenants back into shared tables.
var ownRoom = Wall{
	Name: "a room of the tenant's own", Strategies: []string{"schema", "database"},
	Off: func(p *reference.Parts) {
		p.OwnerSQL = append(p.OwnerSQL, store.SharedTables())
		p.DB.Strategy = store.Shared(p.Service.App, p.Service.Owner)
	},
}

// roomByTier is the wall of the strategy hybrid: policies for some tenants, rooms of their own for others.
var roomByTier = Wall{
	Name: "the room of the tier", Strategies: []string{"hybrid"},
	Off: func(p *reference.Parts) {
		rowSecurity.Off(p)
		p.DB.Strategy = store.Shared(p.Service.App, p.Service.Owner)
	},
}

// rowSecurity is the wall that the strategy rls puts behind the statements.
var rowSecurity = Wall{
	Name: "row-level security", Strategies: []string{"rls"},
	Off: func(p *reference.Parts) {
		for _, table := range store.TenantTables() {
			p.OwnerSQL = append(p.OwnerSQL, `alter table `+table+` disable row level security`)
		}
	},
}

// Applies tells whether the fault can be planted in a strategy.
func (f Fault) Applies(strategy string) bool {
	return len(f.Strategies) == 0 || slices.Contains(f.Strategies, strategy)
}

// Stands tells whether the wall is there in a strategy.
func (w Wall) Stands(strategy string) bool {
	return len(w.Strategies) == 0 || slices.Contains(w.Strategies, strategy)
}

// ErrUnknown means that no fault has the given id.
var ErrUnknown = errors.New("no such fault")

// All faults, sorted by id.
func All() []Fault {
	all := listed()
	slices.SortFunc(all, func(a, b Fault) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Find a fault by id.
func Find(id string) (Fault, error) {
	all := All()
	i := slices.IndexFunc(all, func(f Fault) bool { return f.ID == id })
	if i < 0 {
		return Fault{}, fmt.Errorf("%w %q; see `partywall list faults`", ErrUnknown, id)
	}
	return all[i], nil
}
