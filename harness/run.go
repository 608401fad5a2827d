package harness

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config of a run. Target and Scenarios must be set; the zero value of everything else is a sensible default.
type Config struct {
	Target    Target
	Scenarios []Scenario
	// Seed of everything random. 0 is a seed like any other.
	Seed int64
	// Lanes run side by side, each with a cast of its own. Default 2; 1 when tenants are borrowed.
	Lanes int
	// Timeout of one request. Default 10 s.
	Timeout time.Duration
	// Budget of requests; 0 means 100,000. What was created is removed even when it is spent.
	Budget int64
	// Rate in requests per second over all lanes; 0 means unlimited.
	Rate float64
	// Keep receives the history of each cell as soon as it is judged, one at a time, and last, without a verdict, the
	// history of what was sent outside of cells. Optional.
	Keep func(*History, Verdict) error
	// Begin is called once it is clear that the run takes place, before anything is sent. Optional.
	Begin func()
	// Progress is told of each cell that was played or skipped, one at a time. Optional.
	Progress func(done, total int, c Coverage)
	// AllowHosts are further hosts ("name:port"; the usual port of a scheme may be left out) that requests may go to, beside
	// those that the surface lists. Loopback is always allowed; every other host must be named, that of the surface's own
	// base URL included.
	AllowHosts []string
	// Cells limits the run to the cells with these ids, such as "idor/read/documents/a-b". Optional.
	Cells []string
	// FirstBreach stops the run at the first breach.
	FirstBreach bool
	_           struct{}
}

// Errors of a run that never began.
var (
	ErrConfig = errors.New("the run is not configured")
)

// Run attacks the target with every scenario and returns the report. An error means that no run took place; a run that
// was interrupted, or that met a dead target, returns a report that says so.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Target == nil || len(cfg.Scenarios) == 0 {
		return nil, fmt.Errorf("%w: it needs a target and at least one scenario", ErrConfig)
	}
	surface := cfg.Target.Surface()
	if err := surface.Validate(); err != nil {
		return nil, err
	}
	base, err := url.Parse(surface.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSurface, err)
	}
	allowed, err := allowedHosts(base, append(slices.Clone(surface.Hosts), cfg.AllowHosts...))
	if err != nil {
		return nil, err
	}
	r := &runner{cfg: cfg, surface: &surface, began: time.Now(), verdicts: map[string]*Result{}}
	if r.cfg.Lanes <= 0 {
		r.cfg.Lanes = 2
	}
	if r.cfg.Timeout <= 0 {
		r.cfg.Timeout = 10 * time.Second
	}
	if r.cfg.Budget == 0 {
		r.cfg.Budget = 100_000
	}
	r.door = &door{
		target: cfg.Target, base: base, hosts: allowed,
		timeout: r.cfg.Timeout, budget: r.cfg.Budget, pace: newPace(cfg.Rate), began: r.began,
	}
	if secretive, ok := cfg.Target.(Secretive); ok {
		for value, shown := range secretive.Secrets() {
			r.door.secrets.learn(value, shown)
		}
	}
	if cfg.Begin != nil {
		cfg.Begin()
	}
	return r.run(ctx), nil
}

type runner struct {
	cfg     Config
	surface *Surface
	door    *door
	began   time.Time

	limits sync.Mutex   // held by a cell about limits
	stage  sync.RWMutex // shared by all cells but those that are alone on it

	mu       sync.Mutex
	done     int
	total    int
	verdicts map[string]*Result // by scenario and resource
	coverage []Coverage
	stop     context.CancelCauseFunc
	spare    *lane // tenants that were too few for a lane
	keepErr  error
}

var errFirstBreach = errors.New("stopped at the first breach, as asked")

func (r *runner) run(ctx context.Context) *Report {
	ctx = context.WithValue(ctx, doorKey{}, r.door)
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	lanes, reason := r.open(ctx)
	size := 3
	if len(lanes) > 0 {
		size = len(lanes[0].cast.members)
	}
	jobs := make(chan job)
	var wg sync.WaitGroup
	for _, l := range lanes {
		wg.Go(func() {
			for j := range jobs {
				r.finish(r.play(ctx, l, j))
			}
		})
	}
	for _, j := range r.plan(size) {
		switch {
		case reason != "":
			r.finish(j, nil, Inconclusive, reason, nil)
		default:
			jobs <- j
		}
	}
	close(jobs)
	wg.Wait()
	r.close(cleaning(ctx), lanes)
	return r.report(context.Cause(ctx))
}

// open provisions the casts. Borrowed tenants form one lane, whatever was asked for.
func (r *runner) open(ctx context.Context) (lanes []*lane, reason string) {
	for n := range r.cfg.Lanes {
		c, err := provision(ctx, r.cfg.Target, 3)
		if err != nil {
			r.spare = &lane{number: n, cast: c}
			if n > 0 {
				break // what there is has to do
			}
			return nil, r.door.secrets.string(err.Error())
		}
		lanes = append(lanes, &lane{number: n, cast: c})
		if c.members[0].tenant.Borrowed {
			break
		}
	}
	return lanes, ""
}

// close gives back the casts, and keeps what was sent outside of cells.
func (r *runner) close(ctx context.Context, lanes []*lane) {
	last := &History{Cell: Cell{ID: provisionCell, Seed: r.cfg.Seed}}
	if r.spare != nil {
		lanes = append(lanes, r.spare)
	}
	for _, l := range lanes {
		w := &World{surface: r.surface, door: r.door, lane: l, cast: l.cast, history: last}
		l.end(ctx, r.cfg.Target, w)
	}
	last.Exchanges = append(r.door.journal, last.Exchanges...)
	for i, e := range last.Exchanges {
		e.ID = fmt.Sprintf("%s/%d", provisionCell, i+1)
	}
	if r.cfg.Keep != nil && r.keepErr == nil {
		r.keepErr = r.cfg.Keep(last, "")
	}
}

// play runs one cell on a lane and judges it.
func (r *runner) play(ctx context.Context, l *lane, j job) (job, *History, Verdict, string, []Finding) {
	attacker := Actor{}
	if j.pair.attacker != anonymous {
		attacker = l.cast.member(j.pair.attacker).actor()
	}
	if j.resource.Public != "" {
		return j, nil, Skipped, "public by design: " + j.resource.Public, nil
	}
	if reason := j.scenario.Needs.missing(r.surface, j.resource, r.cfg.Target, attacker); reason != "" {
		return j, nil, Skipped, reason, nil
	}
	if ctx.Err() != nil {
		return j, nil, Inconclusive, "the run ended before this cell: " + context.Cause(ctx).Error(), nil
	}
	if j.scenario.Ends {
		c, err := provision(ctx, r.cfg.Target, 3)
		defer c.end(cleaning(ctx), r.cfg.Target, r.door)
		if err != nil {
			return j, nil, Inconclusive, r.door.secrets.string(err.Error()), nil
		}
		if c.members[0].tenant.Borrowed {
			return j, nil, Skipped, "the tenants are borrowed and must survive", nil
		}
		l = &lane{number: l.number, cast: c}
		if attacker.Tenant != "" {
			attacker = c.member(j.pair.attacker).actor()
		}
	}
	if j.scenario.Alone {
		r.stage.Lock()
		defer r.stage.Unlock()
	} else {
		r.stage.RLock()
		defer r.stage.RUnlock()
	}
	w := r.world(l, j, attacker)
	if j.scenario.Limits {
		r.limits.Lock()
		defer r.limits.Unlock()
		w.cast = &cast{members: slices.Clone(l.cast.members)}
		defer func() {
			enrolled := &cast{members: w.cast.members[len(l.cast.members):]}
			enrolled.end(cleaning(ctx), r.cfg.Target, r.door)
		}()
	}
	if err := l.furnish(ctx, w, l.cast.labels()...); err != nil {
		w.history.Crash = "setup failed: " + err.Error()
	} else if err := w.play(ctx); err != nil {
		if reason, ok := skipped(err); ok {
			w.clean(cleaning(ctx))
			l.tokens = w.holdingTokens() // those of later cells too, which this one may have made
			l.given = known(w.history, l.tokens)
			return j, nil, Skipped, reason, nil
		}
		w.history.Crash = r.door.secrets.string(err.Error())
	}
	if !j.scenario.Ends {
		w.clean(cleaning(ctx))
	}
	l.tokens = w.holdingTokens()
	l.given = known(w.history, l.tokens)
	verdict, reason, findings := JudgeHistory(w.history, j.scenario.Judge)
	return j, w.history, verdict, reason, findings
}

func (r *runner) world(l *lane, j job, attacker Actor) *World {
	cell := j.cell(r.cfg.Seed)
	return &World{
		scenario: j.scenario, surface: r.surface, resource: j.resource, door: r.door, lane: l, cast: l.cast,
		attacker: attacker, victim: j.pair.victim, seed: r.cfg.Seed, rand: newRand(r.cfg.Seed, cell.ID),
		history: &History{
			Cell: cell, Claim: j.scenario.Claim, Tokens: slices.Clone(l.tokens), Given: slices.Clone(l.given), Ends: j.scenario.Ends, Twin: j.scenario.Twin,
			Limits: j.scenario.Limits,
		},
	}
}

// holdingTokens are those that outlive the cell: of the objects that the lane's tenants hold on to.
func (w *World) holdingTokens() (tokens []Token) {
	held := map[string]bool{}
	for _, byResource := range w.lane.holdings {
		for _, o := range byResource {
			held[o.Label] = true
		}
	}
	for _, t := range w.history.Tokens {
		if held[t.Object] {
			tokens = append(tokens, t)
		}
	}
	return tokens
}

// finish keeps the evidence of a cell, then counts its verdict.
func (r *runner) finish(j job, h *History, v Verdict, reason string, findings []Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h != nil && r.cfg.Keep != nil && r.keepErr == nil {
		if r.keepErr = r.cfg.Keep(h, v); r.keepErr != nil {
			r.stop(fmt.Errorf("keep the evidence: %w", r.keepErr))
		}
	}
	key := j.scenario.ID + " " + j.resource.Name
	result := r.verdicts[key]
	if result == nil {
		result = &Result{
			Scenario: j.scenario.ID, Claim: j.scenario.Claim, Why: j.scenario.Why, Fix: j.scenario.Fix, Resource: j.resource.Name,
			Refs: j.scenario.Refs, Verdict: Skipped, Findings: []Finding{},
		}
		r.verdicts[key] = result
	}
	if worse := result.Verdict.Worse(v); worse != result.Verdict || result.Cells == 0 {
		result.Verdict, result.Reason = worse, reason
	}
	result.Cells++
	result.Findings = append(result.Findings, findings...)
	c := Coverage{
		Resource: j.resource.Name, Verb: verbsOf(h), Scenario: j.scenario.ID, Attacker: j.pair.attacker, Victim: j.pair.victim, Verdict: v, Reason: reason,
	}
	r.coverage = append(r.coverage, c)
	if h == nil && v == Inconclusive {
		return // it never ran, and that is no progress
	}
	r.done++
	if r.cfg.Progress != nil {
		r.cfg.Progress(r.done, r.total, c)
	}
	if v == Breached && r.cfg.FirstBreach {
		r.stop(errFirstBreach)
	}
}

// verbsOf names the verbs that a cell attacked.
func verbsOf(h *History) string {
	if h == nil {
		return ""
	}
	var verbs []string
	for _, e := range h.Exchanges {
		if e.Purpose == Attack && !slices.Contains(verbs, string(e.Verb)) {
			verbs = append(verbs, string(e.Verb))
		}
	}
	return strings.Join(verbs, ",")
}

func (r *runner) report(cause error) *Report {
	out := &Report{
		Schema: Schema, Target: r.cfg.Target.Name(), Seed: r.cfg.Seed, Started: r.began.UTC(),
		DurationMS: time.Since(r.began).Milliseconds(), Requests: r.door.sent.Load(), Results: []Result{},
	}
	order := map[string]int{}
	for i, s := range r.cfg.Scenarios {
		order[s.ID] = i
	}
	for _, s := range r.cfg.Scenarios {
		for _, resource := range r.surface.Resources {
			result := r.verdicts[s.ID+" "+resource.Name]
			if result == nil {
				continue
			}
			out.Results = append(out.Results, *result)
			switch result.Verdict {
			case Held:
				out.Summary.Held++
			case Breached:
				out.Summary.Breached++
			case Inconclusive:
				out.Summary.Inconclusive++
			default:
				out.Summary.Skipped++
			}
		}
	}
	slices.SortStableFunc(r.coverage, func(a, b Coverage) int {
		if d := order[a.Scenario] - order[b.Scenario]; d != 0 {
			return d
		}
		return strings.Compare(a.Resource+a.Attacker+a.Victim, b.Resource+b.Attacker+b.Victim)
	})
	if r.cfg.Budget >= 0 {
		out.BeyondBudget = max(0, out.Requests-r.cfg.Budget)
	}
	out.Coverage, out.Left = r.coverage, r.door.leftovers()
	if r.keepErr != nil {
		cause = fmt.Errorf("keep the evidence: %w", r.keepErr)
	}
	if cause != nil {
		out.Interrupted = cause.Error()
	}
	return out
}
