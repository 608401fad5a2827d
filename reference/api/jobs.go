package api

import "net/http"

func (a *api) jobRoutes() []route {
	return []route{admins("GET /v1/jobs/dead", a.listDeadJobs)}
}

// listDeadJobs shows a tenant what was given up of what it asked for.
func (a *api) listDeadJobs(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	dead, err := a.Jobs.Dead(r.Context(), limit)
	if err != nil {
		return err
	}
	return respond(w, http.StatusOK, list(dead, nil))
}
