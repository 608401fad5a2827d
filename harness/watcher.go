package harness

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Watcher is implemented by targets that show what the service tells its operators. Scenarios that look at it are skipped elsewhere.
type Watcher interface {
	// Layers that can be seen.
	Layers() []Layer
	// Watch begins to listen. What it returns tells, each time it is asked, all that was said on a layer since then: the latest of
	// it, where that is too much to keep.
	Watch(ctx context.Context) (said func(ctx context.Context, on Layer) (string, error), err error)
}

// Layer is a place where a service tells its operators something.
type Layer string

// The layers that scenarios know.
const (
	Log     Layer = "log"     // lines
	Metrics Layer = "metrics" // in the text format of Prometheus, as they stand
	Alerts  Layer = "alerts"  // one to a line
)

// A Member is a tenant of the cast, as judges of what operators are told know it.
type Member struct {
	Label  string   `json:"label"`
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	People []string `json:"people"`
}

// overhearFor is how long a service may take to say what it has to say.
const overhearFor = 5 * time.Second

var errUnheard = errors.New("what the service tells its operators could not be read")

// Overhear has act done, and records what the service tells its operators meanwhile: of logs and alerts the lines that concern a tenant
// of the cast, redacted like everything else. It waits until enough is said, for five seconds at most; whether it was enough is left
// to the judge.
func (w *World) Overhear(ctx context.Context, on Layer, act func() error, enough func(said string) bool) error {
	watcher, ok := w.door.target.(Watcher)
	if !ok {
		return Skip("the target does not show what the service tells its operators")
	}
	said, err := watcher.Watch(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnheard, err)
	}
	w.mu.Lock()
	w.history.Cast = w.cast.known()
	w.mu.Unlock()
	if err := act(); err != nil {
		return err
	}
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, overhearFor)
	defer cancel()
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 250*time.Millisecond) {
		text, err := said(within, on)
		if err != nil {
			return fmt.Errorf("%w: %w", errUnheard, err)
		}
		text = w.door.secrets.string(text)
		if on != Metrics {
			text = w.history.concerning(text)
		}
		timer := time.NewTimer(wait)
		over := false
		if !enough(text) {
			select {
			case <-timer.C:
				continue
			case <-within.Done():
				over = true
			}
		}
		timer.Stop()
		if err := context.Cause(ctx); over && err != nil {
			return err
		}
		w.overheard(on, text, began)
		return nil
	}
}

func (w *World) overheard(on Layer, text string, began time.Time) {
	e := &Exchange{
		Purpose: Observe, Actor: "the operator", Resource: string(on), Request: Request{Method: "READ", URL: string(on)},
		Begin: began.Sub(w.door.began), Took: time.Since(began), OK: true,
		Response: Response{Size: int64(len(text)), Body: Bytes(text)},
	}
	if len(text) > keptBody {
		e.Response.Truncated, e.Response.Body = true, Bytes(text[len(text)-keptBody:])
	}
	w.record(e)
}

// known is what judges may know of a cast.
func (c *cast) known() (out []Member) {
	for _, m := range c.members {
		member := Member{Label: m.label, ID: m.tenant.ID, Name: m.tenant.Name, People: []string{}}
		for _, p := range m.tenant.Principals {
			member.People = append(member.People, p.Name)
		}
		out = append(out, member)
	}
	return out
}

// concerning keeps the lines that name a tenant of the cast, or hold what is one's own: other lanes are at work beside this one.
func (h *History) concerning(text string) string {
	s := newScanner(h.Tokens)
	var kept strings.Builder
	for line := range strings.Lines(text) {
		found := hits{}
		s.scan([]byte(line), found)
		named := slices.ContainsFunc(h.Cast, func(m Member) bool { return m.ID != "" && strings.Contains(line, m.ID) })
		if named || len(found) > 0 || len(Credentials(line)) > 0 {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// Observed are the records of what operators were told on a layer.
func (h *History) Observed(on Layer) (out []*Exchange) {
	for _, e := range h.Exchanges {
		if e.Purpose == Observe && e.Resource == string(on) {
			out = append(out, e)
		}
	}
	return out
}

// Holds are the tokens in a text, raw or encoded.
func (h *History) Holds(text []byte) (out []Token) {
	found := hits{}
	newScanner(h.Tokens).scan(text, found)
	for i, t := range h.Tokens {
		if _, ok := found[i]; ok {
			out = append(out, t)
		}
	}
	return out
}

// placeholders are what stands in the record in place of credentials: <b.alice>, with what was bent in it, and <issued>.
var placeholders = regexp.MustCompile(`<[a-z][a-z-]*\.[a-z][a-z0-9._-]*(?:: [^<>]*)?>|` + issued)

// Credentials are the placeholders in a text: where each of them stands, a credential stood.
func Credentials(text string) []string { return placeholders.FindAllString(text, -1) }
