package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

func (a *api) healthRoutes() []route {
	const reason = "a load balancer asks it, and it says nothing about tenants"
	return []route{
		public("GET /healthz", reason, a.live),
		public("GET /health/live", reason, a.live),
		public("GET /health/ready", reason, a.ready),
		operators("GET /metrics", a.metrics),
	}
}

// live says that the process runs. It asks no engine: to start a process anew brings none back.
func (a *api) live(w http.ResponseWriter, _ *http.Request) error {
	return respond(w, http.StatusOK, map[string]string{"status": "ok"})
}

// probeFor is how long an engine may take to say that it is there.
const probeFor = time.Second

// ready says which engines can be reached. Why one cannot stands in the log: errors name hosts and users.
func (a *api) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), probeFor)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	engines, away := map[string]string{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(a.Probes)) {
		all.Go(func() {
			err := a.Probes[name](ctx)
			mu.Lock()
			defer mu.Unlock()
			if engines[name] = "ok"; err != nil {
				away = append(away, name)
				a.Log.WarnContext(ctx, "an engine is away", "engine", name, "error", err)
			}
		})
	}
	all.Wait()
	if len(away) > 0 {
		slices.Sort(away)
		w.Header().Set("Retry-After", fmt.Sprint(retryAfter.Seconds()))
		write(w, problem{Title: http.StatusText(http.StatusServiceUnavailable), Status: http.StatusServiceUnavailable, Detail: "away: " + strings.Join(away, ", ")})
		return nil
	}
	return respond(w, http.StatusOK, map[string]any{"status": "ok", "engines": engines})
}

func (a *api) metrics(w http.ResponseWriter, r *http.Request) error {
	if a.Metrics == nil {
		return errNoRoute
	}
	a.Metrics.ServeHTTP(w, r)
	return nil
}
