package reports

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/partywall/partywall/harness"
)

// Shown is an exchange as a story shows it.
type Shown struct {
	*harness.Exchange
	// Foreign are the values in the answer that belong to another than its receiver, who did not send them either.
	Foreign []string
	// Same: the very request that was attacked, by its rightful owner.
	Same bool
}

func show(h *harness.History, e *harness.Exchange) Shown {
	if e.Purpose == harness.Observe {
		return told(h, e)
	}
	s := Shown{Exchange: e}
	for _, t := range h.Tokens {
		sent := strings.Contains(e.Request.URL, t.Value) || bytes.Contains(e.Request.Body, []byte(t.Value))
		if t.Owner != e.Tenant && !sent && bytes.Contains(e.Response.Body, []byte(t.Value)) {
			s.Foreign = append(s.Foreign, t.Value)
		}
	}
	return s
}

// toldLines is how many lines of what operators are told a story shows.
const toldLines = 6

// told shows the lines that hold what operators should not see, and the last ones where none does.
func told(h *harness.History, e *harness.Exchange) Shown {
	var telling, all []string
	s := Shown{}
	for line := range strings.Lines(string(e.Response.Body)) {
		all = append(all, line)
		found := harness.Credentials(line)
		for _, t := range h.Holds([]byte(line)) {
			if t.Kind != harness.IDToken {
				found = append(found, t.Value)
			}
		}
		if len(found) > 0 && len(telling) < toldLines {
			telling = append(telling, line)
			for _, value := range found {
				s.Foreign = with(s.Foreign, value)
			}
		}
	}
	if len(telling) == 0 {
		telling = all[max(0, len(all)-toldLines):]
	}
	short := *e
	short.Response.Body = harness.Bytes(strings.Join(telling, ""))
	s.Exchange = &short
	return s
}

// Role says in words who sends the request, and what for.
func (s Shown) Role() string {
	phase := strings.TrimRight(s.Phase, "0123456789")
	switch s.Purpose {
	case harness.Control:
		if s.Same {
			return "The owner, same request"
		}
		return "An owner, on its own object"
	case harness.Attack:
		switch phase {
		case "absent":
			return "The attacker, where it never existed"
		case "present":
			return "The attacker, where it exists"
		default:
			return "The attacker"
		}
	case harness.Plain:
		return "The attacker, without the trick"
	case harness.Observe:
		return "What operators are told"
	case harness.Check:
		switch phase {
		case "before":
			return "The victim, before the attack"
		case "after":
			return "The victim, after the attack"
		case "again":
			return "The victim, once more"
		case "lists before":
			return "The victim looks around, before"
		case "lists after":
			return "The victim looks around, after"
		}
	}
	return sentence(string(s.Purpose))
}

// sentence begins with a capital letter, unless with the name of an actor or a scenario.
func sentence(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if !strings.ContainsAny(strings.TrimRight(word, ".,:"), "./0123456789") {
		first, size := utf8.DecodeRuneInString(s)
		s = string(unicode.ToUpper(first)) + s[size:]
	}
	return s
}

// stop ends a sentence.
func stop(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return sentence(s)
	}
	return sentence(s) + "."
}

// Seen says what was found. The name of who found it stays as it is.
func (s Story) Seen() string {
	if strings.HasPrefix(s.Finding.Summary, s.Finding.Attacker+" ") {
		return strings.TrimSuffix(s.Finding.Summary, ".")
	}
	return strings.TrimSuffix(sentence(s.Finding.Summary), ".")
}
