package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Reasons why the door stays shut. They end a cell as inconclusive.
var (
	ErrBudget = errors.New("the request budget is spent; raise it with --budget")
	ErrHost   = errors.New("the host is not allowed; add it with --allow-host")
	ErrDead   = errors.New("the target does not answer")
	// ErrLimited means that waiting as a limiter asks for does not help.
	ErrLimited = errors.New("a limiter refuses every request, also after the waits that it asks for; raise it for the run, or try --rate")
	// ErrDropped means that hostile requests get no answer at all, though others do.
	ErrDropped = errors.New("somebody drops the hostile requests without an answer, so the wall behind cannot be seen")
)

// keptBody is how much of a body evidence keeps. What follows is scanned while it streams by.
const keptBody = 1 << 20

// deadAfter is the number of transport failures in a row after which a target counts as dead, and of hostile requests
// after which a cell gives up.
const deadAfter = 5

// limitedAfter is the number of requests in a row, hostile ones aside, that a limiter refuses after all the waits it asked
// for, after which it counts as a limiter that lets nothing through.
const limitedAfter = 3

// door is the only way to the target: it enforces hosts, budget and rate, and times out. All lanes share one.
type door struct {
	target   Target
	base     *url.URL
	hosts    []string
	timeout  time.Duration
	budget   int64 // negative: none
	pace     *pace
	began    time.Time
	sent     atomic.Int64
	failures atomic.Int64 // transport failures in a row, hostile requests aside
	answers  atomic.Int64
	refusals atomic.Int64 // by a limiter, of requests in a row that had waited as it asked
	secrets  redactor

	mu      sync.Mutex
	journal []*Exchange // what targets sent on their own behalf, bodies withheld
	left    []Leftover
}

// admit says whether one more request may go to the URL, and counts it.
func (d *door) admit(ctx context.Context, u *url.URL) error {
	if !permits(d.hosts, u) {
		return fmt.Errorf("%w: %s", ErrHost, u.Host)
	}
	if d.failures.Load() >= deadAfter {
		return fmt.Errorf("%w: %d requests in a row failed", ErrDead, deadAfter)
	}
	if d.refusals.Load() >= limitedAfter && ctx.Value(cleaningKey{}) == nil {
		return ErrLimited
	}
	if err := d.pace.wait(ctx); err != nil {
		return err
	}
	// What was created is removed even when the budget is spent.
	if n := d.sent.Add(1); d.budget >= 0 && n > d.budget && ctx.Value(cleaningKey{}) == nil {
		d.sent.Add(-1)
		return ErrBudget
	}
	return nil
}

// heed counts what a limiter refused although the request had waited as it asked, and been sent again.
func (d *door) heed(e *Exchange, waits int) {
	switch {
	case e.Err != "":
	case !e.Response.limited():
		d.refusals.Store(0)
	case waits > 0 && e.Purpose != Attack:
		d.refusals.Add(1)
	}
}

// pass sends one request and keeps the outcome. tail sees the bytes behind the kept part of the body.
func (d *door) pass(ctx context.Context, as Actor, placeholder string, hostile bool, req *rendered, tail func([]byte)) (shown Request, answer Response, begin, took time.Duration, err error) {
	begin = time.Since(d.began)
	shown = Request{Method: req.method, URL: d.secrets.string(rawURL(req.url)), Header: req.header, Body: d.secrets.bytes(req.body)}
	if err = d.admit(ctx, req.url); err != nil {
		return shown, answer, begin, 0, err
	}
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(req.listen, d.timeout))
	defer cancel()
	// The client sets these apart from the URL, which is opaque here and may hold what url.Parse refuses.
	to := *req.url // a credential may add to it
	r := (&http.Request{
		Method: req.method, URL: &to, Host: req.url.Host, Header: req.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if len(req.body) > 0 {
		r.ContentLength, r.Body = int64(len(req.body)), io.NopCloser(bytes.NewReader(req.body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.body)), nil }
	}
	if host := req.header.Get("Host"); host != "" {
		r.Host = host
	}
	if as.Credential != nil {
		if err = as.Credential.Apply(ctx, r); err != nil {
			return shown, answer, begin, 0, fmt.Errorf("apply the credential of %s: %w", as, err)
		}
	}
	shown.Header = d.secrets.applied(req.header, r.Header, placeholder)
	d.secrets.appliedQuery(req.url.Query(), r.URL.Query(), placeholder)
	start := time.Now()
	begin = start.Sub(d.began)
	response, err := d.target.Send(ctx, as, r) //nolint:bodyclose // read and closed by answer.read
	if err == nil {
		err = answer.read(response, tail)
		if req.listen > 0 && asked.Err() == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = nil // it was listened to for long enough
		}
	}
	took = time.Since(start)
	for _, l := range req.secrets {
		if value, ok := l.find(&answer); ok {
			d.secrets.learn(value, issued)
		}
	}
	answer.Header, answer.Body = d.secrets.answered(answer.Header), d.secrets.bytes(answer.Body) // of a broken answer too
	if err != nil {
		// Somebody between us and the service may drop what looks hostile: that is no sign of death.
		if !hostile && (ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded)) {
			d.failures.Add(1)
		}
		return shown, answer, begin, took, errors.New(d.secrets.string(err.Error()))
	}
	d.failures.Store(0)
	d.answers.Add(1)
	return shown, answer, begin, took, nil
}

// rawURL writes a URL as it goes over the wire. url.URL.String would print an opaque URL without its host.
func rawURL(u *url.URL) string {
	if u.Opaque == "" {
		return u.String()
	}
	s := u.Scheme + "://" + u.Host + strings.TrimPrefix(u.Opaque, "//"+u.Host)
	if u.RawQuery != "" {
		s += "?" + u.RawQuery
	}
	return s
}

func (a *Response) read(r *http.Response, tail func([]byte)) error {
	defer func() { _ = r.Body.Close() }()
	a.Status, a.Proto, a.Header = r.StatusCode, r.Proto, r.Header
	kept, err := io.ReadAll(io.LimitReader(r.Body, keptBody))
	a.Body, a.Size = kept, int64(len(kept))
	if err != nil || len(kept) < keptBody {
		return err
	}
	// Chunks overlap so that a token across their border is found whole.
	const overlap = 4096
	buf := make([]byte, overlap+256<<10)
	carried := copy(buf, kept[len(kept)-overlap:])
	for {
		n, err := io.ReadFull(r.Body, buf[carried:])
		if n > 0 {
			a.Truncated, a.Size = true, a.Size+int64(n)
			tail(buf[:carried+n])
			carried = copy(buf, buf[max(0, carried+n-overlap):carried+n])
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// pace spaces requests evenly. The zero interval lets everything pass.
type pace struct {
	mu       sync.Mutex
	interval time.Duration
	next     time.Time
	held     time.Duration // in all
}

func newPace(perSecond float64) *pace {
	if perSecond <= 0 {
		return &pace{}
	}
	return &pace{interval: time.Duration(float64(time.Second) / perSecond)}
}

func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	if p.interval == 0 && p.next.Before(now) {
		p.mu.Unlock()
		return ctx.Err()
	}
	if p.next.Before(now) {
		p.next = now
	}
	delay := p.next.Sub(now)
	p.next = p.next.Add(p.interval)
	p.mu.Unlock()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// longestHold is how long limiters may keep a run waiting in all. What they refuse from then on stays refused.
const longestHold = 10 * time.Minute

// hold keeps all lanes from sending until the duration is over, as a service asks with Retry-After. It returns false
// where the patience of the run is at its end.
func (p *pace) hold(d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	longer := now.Add(d).Sub(p.next)
	if longer <= 0 {
		return true // another lane waits for as long
	}
	if p.held+longer > longestHold {
		return false
	}
	p.held += longer
	p.next = p.next.Add(longer)
	return true
}

type (
	doorKey     struct{}
	cleaningKey struct{}
)

// cleaning returns the context for requests that clean up: neither an interruption nor a spent budget stops them; the
// timeout of each request bounds them.
func cleaning(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), cleaningKey{}, true)
}

// Recorded returns a transport for the requests that a target sends on its own behalf: logins, provisioning. They
// pass the same door as attacks, so hosts and budget hold for them too. Outside a run it returns next.
func Recorded(ctx context.Context, next http.RoundTripper) http.RoundTripper {
	d, ok := ctx.Value(doorKey{}).(*door)
	if !ok {
		return next
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := d.admit(r.Context(), r.URL); err != nil {
			return nil, err
		}
		start := time.Now()
		response, err := next.RoundTrip(r)
		d.note(r, response, err, start)
		if err != nil {
			d.failures.Add(1)
			return nil, err
		}
		d.failures.Store(0)
		d.answers.Add(1)
		return response, nil
	})
}

// note records what a target sent for itself. Headers and bodies are withheld: they hold the credentials of others.
func (d *door) note(r *http.Request, response *http.Response, err error, start time.Time) {
	e := &Exchange{
		Purpose: Setup, Actor: "target", Request: Request{Method: r.Method, URL: d.secrets.string(r.URL.Redacted())},
		Begin: start.Sub(d.began), Took: time.Since(start),
	}
	if err != nil {
		e.Err = d.secrets.string(err.Error())
	} else {
		e.Response = Response{Status: response.StatusCode, Proto: response.Proto}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	e.ID = fmt.Sprintf("%s/%d", provisionCell, len(d.journal)+1)
	d.journal = append(d.journal, e)
}

// provisionCell is the id under which evidence keeps what targets sent on their own behalf.
const provisionCell = "provision"

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// NewTransport is the transport that targets should send with: no proxy from the environment, no transparent
// decompression that would hide what was sent, connections kept for all lanes.
func NewTransport() *http.Transport {
	return &http.Transport{
		DisableCompression:    true,
		MaxIdleConns:          128,
		MaxIdleConnsPerHost:   128,
		IdleConnTimeout:       30 * time.Second,
		ResponseHeaderTimeout: time.Minute,
	}
}
