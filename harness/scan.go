package harness

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// scanner finds tokens in bytes, through the encodings that services wrap values in.
//
// A canary is found by every piece of it that is at least 12 characters long: the pieces stand in one map, and every
// window of the text is looked up. Encodings are undone rather than applied: undoing finds a canary at any offset of a
// larger encoded value.
type scanner struct {
	tokens   []Token
	pieces   map[string]int
	integers map[string]int
	ids      []int
}

func newScanner(tokens []Token) *scanner {
	s := &scanner{tokens: tokens, pieces: map[string]int{}, integers: map[string]int{}}
	for i, t := range tokens {
		switch t.Kind {
		case CanaryToken:
			for at := 0; at+fragment <= len(t.Value); at++ {
				s.pieces[t.Value[at:at+fragment]] = i
			}
		case IntegerToken:
			s.integers[t.Value] = i
		case IDToken:
			s.ids = append(s.ids, i)
		}
	}
	return s
}

// hits is the set of tokens found: index of the token to the encoding it was found in.
type hits map[int]string

const (
	maxDepth   = 3
	maxDecoded = 8 << 20
)

// scan adds the tokens in data to found.
func (s *scanner) scan(data []byte, found hits) { s.look(data, "plain", 0, found) }

// scanHeader adds the tokens in header names and values.
func (s *scanner) scanHeader(h http.Header, found hits) {
	for name, values := range h {
		s.look([]byte(name+": "+strings.Join(values, "\n")), "header", 0, found)
	}
}

func (s *scanner) look(data []byte, how string, depth int, found hits) {
	if len(data) < fragment {
		return
	}
	s.match(bytes.ToLower(data), how, found)
	if depth == maxDepth {
		return
	}
	for _, d := range decoders {
		d.decode(data, func(decoded []byte) {
			if len(decoded) > 0 && len(decoded) <= maxDecoded && !bytes.Equal(decoded, data) {
				s.look(decoded, d.name, depth+1, found)
			}
		})
	}
}

// match looks up every window of every run of letters and digits. text is in lower case.
func (s *scanner) match(text []byte, how string, found hits) {
	note := func(i int) {
		if _, seen := found[i]; !seen {
			found[i] = how
		}
	}
	for start := 0; start < len(text); {
		if !alnum(text[start]) {
			start++
			continue
		}
		end := start
		digits := true
		for end < len(text) && alnum(text[end]) {
			digits = digits && text[end] <= '9'
			end++
		}
		if digits {
			if i, ok := s.integers[string(text[start:end])]; ok {
				note(i)
			}
		}
		for at := start; at+fragment <= end; at++ {
			if i, ok := s.pieces[string(text[at:at+fragment])]; ok {
				note(i)
			}
		}
		start = end
	}
	for _, i := range s.ids {
		if _, seen := found[i]; !seen && containsWord(text, strings.ToLower(s.tokens[i].Value)) {
			note(i)
		}
	}
}

// containsWord finds a word that is no part of a longer one: "doc:1" is not in "doc:12".
func containsWord(text []byte, word string) bool {
	for at := 0; ; {
		i := bytes.Index(text[at:], []byte(word))
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(word)
		if (start == 0 || !alnum(text[start-1])) && (end == len(text) || !alnum(text[end])) {
			return true
		}
		at = start + 1
	}
}

func alnum(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' }

// decoders undo one layer of encoding each. A decoder that finds nothing to undo calls nothing.
var decoders = []struct {
	name   string
	decode func(data []byte, yield func([]byte))
}{
	{"percent-encoded", unpercent},
	{"json-escaped", unescapeJSON},
	{"html-escaped", func(data []byte, yield func([]byte)) {
		if bytes.Contains(data, []byte("&#")) {
			yield([]byte(html.UnescapeString(string(data))))
		}
	}},
	{"base64", unbase64},
	{"hex", func(data []byte, yield func([]byte)) {
		runs(data, &hexClass, 2*fragment, func(run []byte) {
			for offset := range 2 {
				piece := run[offset:]
				piece = piece[:len(piece)&^1]
				out := make([]byte, len(piece)/2)
				if _, err := hex.Decode(out, piece); err == nil {
					yield(out)
				}
			}
		})
	}},
	{"gzip", func(data []byte, yield func([]byte)) {
		if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			return
		}
		if r, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			out, _ := io.ReadAll(io.LimitReader(r, maxDecoded)) // a cut stream still holds what it holds
			yield(out)
		}
	}},
	{"zip", func(data []byte, yield func([]byte)) {
		if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
			return
		}
		archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for _, f := range archive.File {
			yield([]byte(f.Name))
			if r, err := f.Open(); err == nil {
				out, _ := io.ReadAll(io.LimitReader(r, maxDecoded))
				_ = r.Close()
				yield(out)
			}
		}
	}},
}

// Sets of bytes that a run of an encoding is made of. Regular expressions took half the time of a run here.
var (
	hexClass    = class("0123456789abcdefABCDEF")
	base64Class = class("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
)

func class(chars string) (set [256]bool) {
	for i := range len(chars) {
		set[chars[i]] = true
	}
	return set
}

// runs yields the longest stretches of data that are made of the class and have at least least bytes.
func runs(data []byte, in *[256]bool, least int, yield func([]byte)) {
	for start := 0; start < len(data); {
		if !in[data[start]] {
			start++
			continue
		}
		end := start
		for end < len(data) && in[data[end]] {
			end++
		}
		if end-start >= least {
			yield(data[start:end])
		}
		start = end
	}
}

func unpercent(data []byte, yield func([]byte)) {
	unescape(data, "%", 2, yield)
}

func unescapeJSON(data []byte, yield func([]byte)) {
	unescape(data, `\u`, 4, yield)
}

// unescape replaces every escape, a mark and some hexadecimal digits, by the character that it stands for.
func unescape(data []byte, mark string, digits int, yield func([]byte)) {
	at := bytes.Index(data, []byte(mark))
	if at < 0 {
		return
	}
	out := make([]byte, 0, len(data))
	for at >= 0 {
		out = append(out, data[:at]...)
		end := at + len(mark) + digits
		if end > len(data) {
			data = data[at:]
			break
		}
		if n, err := strconv.ParseUint(string(data[at+len(mark):end]), 16, 32); err != nil {
			out = append(out, mark...)
			data = data[at+len(mark):]
		} else {
			if n < 0x80 || digits == 2 {
				out = append(out, byte(n)) // percent escapes are bytes
			} else {
				out = append(out, string(rune(n))...)
			}
			data = data[end:]
		}
		at = bytes.Index(data, []byte(mark))
	}
	yield(append(out, data...))
}

// unbase64 decodes every long run at all four alignments: the canary may stand anywhere in what was encoded, and the
// run may begin with characters that are not part of it.
func unbase64(data []byte, yield func([]byte)) {
	runs(data, &base64Class, 16, func(run []byte) {
		std := bytes.Map(func(r rune) rune {
			switch r {
			case '-':
				return '+'
			case '_':
				return '/'
			default:
				return r
			}
		}, run)
		out := make([]byte, 4*base64.RawStdEncoding.DecodedLen(len(std)))
		for offset := range 4 {
			if offset >= len(std) {
				break
			}
			piece := std[offset:]
			if len(piece)%4 == 1 {
				piece = piece[:len(piece)-1]
			}
			if n, err := base64.RawStdEncoding.Decode(out, piece); err == nil {
				yield(out[:n])
				out = out[n:] // what was yielded may still be looked at
			}
		}
	})
}
