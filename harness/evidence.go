package harness

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// shownAttacks is how many attacks a finding cites at most: evidence is read by people.
const shownAttacks = 4

// carriers lists the attacks whose request held a value: one of them brought it where it was found.
func (h *History) carriers(value string) []string {
	s := newScanner(h.Tokens)
	return h.attacks(func(e *Exchange) bool {
		sent := s.sent(e)
		for i := range sent {
			if h.Tokens[i].Value == value {
				return true
			}
		}
		return false
	})
}

// culprits lists the attacks that may have left an object as it is after them: those that held what stands in it now.
func (h *History) culprits(after *Exchange) []string {
	s := newScanner(h.Tokens)
	stands := hits{}
	s.scan(after.Response.Body, stands)
	return h.attacks(func(e *Exchange) bool {
		for i := range s.sent(e) {
			if _, there := stands[i]; there && h.Tokens[i].Owner == h.Cell.Attacker {
				return true
			}
		}
		return false
	})
}

// attacks lists those that are guilty; where none is known to be, those that wrote with success; else all. The last ones come last.
func (h *History) attacks(guilty func(*Exchange) bool) []string {
	wrote := func(e *Exchange) bool { return e.OK && e.Verb != Read && e.Verb != List && e.Verb != Search }
	for _, suspect := range []func(*Exchange) bool{guilty, wrote, func(*Exchange) bool { return true }} {
		var succeeded, ids []string
		for _, e := range h.Exchanges {
			if e.Purpose != Attack || !suspect(e) {
				continue
			}
			ids = append(ids, e.ID)
			if e.OK {
				succeeded = append(succeeded, e.ID)
			}
		}
		if len(succeeded) > 0 {
			ids = succeeded
		}
		if len(ids) > 0 {
			return ids[max(0, len(ids)-shownAttacks):]
		}
	}
	return nil
}

// sent are the tokens in a request.
func (s *scanner) sent(e *Exchange) hits {
	found := hits{}
	s.scan([]byte(e.Request.URL), found)
	s.scanHeader(e.Request.Header, found)
	s.scan(e.Request.Body, found)
	return found
}

// complete adds what people need to repeat a finding: the requests of its evidence, in that order.
func (f *Finding) complete(h *History) {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(strings.Join([]string{h.Cell.Scenario, h.Cell.Resource, string(f.verb), f.Channel}, "\x00")))
	f.Fingerprint = fmt.Sprintf("%016x", hash.Sum64())
	for _, id := range f.Evidence {
		if i := slices.IndexFunc(h.Exchanges, func(e *Exchange) bool { return e.ID == id }); i >= 0 && h.Exchanges[i].Purpose != Observe {
			f.Curl = append(f.Curl, h.Exchanges[i].Curl())
		}
	}
}

// Curl is the exchange's request as a command line. Credentials are placeholders.
func (e *Exchange) Curl() string {
	var b strings.Builder
	b.WriteString("curl --path-as-is -X " + e.Request.Method)
	for _, name := range sortedKeys(e.Request.Header) {
		for _, value := range e.Request.Header[name] {
			b.WriteString(" -H " + quote(name+": "+value))
		}
	}
	if len(e.Request.Body) > 0 {
		b.WriteString(" --data-raw " + quote(string(e.Request.Body))) // --data-binary would take a leading @ for a file
	}
	b.WriteString(" " + quote(e.Request.URL))
	return b.String()
}

// quote quotes for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
