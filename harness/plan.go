package harness

import "slices"

// job is a planned cell.
type job struct {
	scenario *Scenario
	resource *Resource
	pair     pair
}

func (j job) cell(seed int64) Cell {
	return Cell{
		ID:       j.scenario.ID + "/" + j.resource.Name + "/" + j.pair.String(),
		Scenario: j.scenario.ID, Resource: j.resource.Name, Attacker: j.pair.attacker, Victim: j.pair.victim, Seed: seed,
	}
}

// plan lists the cells, scenario by scenario: the order of the catalogue is the order of the report.
func (r *runner) plan(size int) []job {
	var jobs []job
	for i := range r.cfg.Scenarios {
		s := &r.cfg.Scenarios[i]
		for _, resource := range r.resourcesFor(s) {
			all := pairs(size)
			victims := labels[:size]
			if s.Once || s.Limits || s.Front {
				all = all[:1]
			}
			if s.Front {
				victims = victims[:1]
			}
			if s.Anonymous {
				for _, victim := range victims {
					all = append(all, pair{anonymous, victim})
				}
			}
			for _, p := range all {
				if j := (job{s, resource, p}); len(r.cfg.Cells) == 0 || slices.Contains(r.cfg.Cells, j.cell(0).ID) {
					jobs = append(jobs, j)
				}
			}
		}
	}
	r.total = len(jobs)
	return jobs
}

// resourcesFor are those that a scenario is played on.
func (r *runner) resourcesFor(s *Scenario) (all []*Resource) {
	for i := range r.surface.Resources {
		all = append(all, &r.surface.Resources[i])
	}
	if !s.Once {
		return all
	}
	for _, one := range all {
		if one.Public == "" && s.Needs.missing(r.surface, one, r.cfg.Target, Actor{}) == "" {
			return []*Resource{one}
		}
	}
	return all[:1] // to be skipped, with its reason
}
