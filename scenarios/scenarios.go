// Package scenarios is the catalogue of attacks: one claim in one file.
//
// A scenario acts through a [harness.World] and judges nothing. It knows verbs, ids and fields, never services: what it
// needs from a surface it states in Needs, and a resource that does not offer it is skipped with that reason. Each attack
// leaves at least one field of the victim's object unsaid, so that what comes back can prove something.
//
// To add one, write a file with a function that returns a harness.Scenario and run go generate. Every scenario must hold
// on the clean reference service and catch at least one planted fault; the detection matrix fails otherwise.
package scenarios

//go:generate go run ../internal/listing -type harness.Scenario -import github.com/partywall/partywall/harness

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/partywall/partywall/harness"
)

// ErrNoMatch means that a pattern selects no scenario.
var ErrNoMatch = errors.New("no scenario matches")

// All scenarios, sorted by id.
func All() []harness.Scenario {
	all := listed()
	slices.SortFunc(all, func(a, b harness.Scenario) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Select returns the scenarios that one of the patterns matches; "idor/*" and "*/read" are patterns. No pattern means all.
func Select(patterns ...string) ([]harness.Scenario, error) {
	if len(patterns) == 0 {
		return All(), nil
	}
	chosen := map[string]bool{}
	all := All()
	for _, pattern := range patterns {
		hit := false
		for _, s := range all {
			ok, err := path.Match(pattern, s.ID)
			if err != nil {
				return nil, fmt.Errorf("%w %q: it is no pattern; see `partywall list scenarios`", ErrNoMatch, pattern)
			}
			if ok || pattern == "*" {
				chosen[s.ID], hit = true, true
			}
		}
		if !hit {
			return nil, fmt.Errorf("%w %q; see `partywall list scenarios`", ErrNoMatch, pattern)
		}
	}
	return slices.DeleteFunc(all, func(s harness.Scenario) bool { return !chosen[s.ID] }), nil
}
