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
	"regexp"
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
		if _, seen := found[i]; !seen && bytes.Contains(text, []byte(strings.ToLower(s.tokens[i].Value))) {
			note(i)
		}
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
		for _, run := range hexRun.FindAll(data, -1) {
			for offset := range 2 {
				piece := run[offset:]
				if out, err := hex.DecodeString(string(piece[:len(piece)&^1])); err == nil {
					yield(out)
				}
			}
		}
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

var (
	hexRun      = regexp.MustCompile(`[0-9a-fA-F]{24,}`)
	base64Run   = regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}`)
	escapedRune = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)
	percent     = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
)

func unpercent(data []byte, yield func([]byte)) {
	if !percent.Match(data) {
		return
	}
	yield(percent.ReplaceAllFunc(data, func(m []byte) []byte {
		c, _ := strconv.ParseUint(string(m[1:]), 16, 8)
		return []byte{byte(c)}
	}))
}

func unescapeJSON(data []byte, yield func([]byte)) {
	if !escapedRune.Match(data) {
		return
	}
	yield(escapedRune.ReplaceAllFunc(data, func(m []byte) []byte {
		c, _ := strconv.ParseUint(string(m[2:]), 16, 16)
		return []byte(string(rune(c)))
	}))
}

// unbase64 decodes every long run at all four alignments: the canary may stand anywhere in what was encoded, and the
// run may begin with characters that are not part of it.
func unbase64(data []byte, yield func([]byte)) {
	for _, run := range base64Run.FindAll(data, -1) {
		std := strings.NewReplacer("-", "+", "_", "/").Replace(string(run))
		for offset := range 4 {
			if offset >= len(std) {
				break
			}
			piece := std[offset:]
			if len(piece)%4 == 1 {
				piece = piece[:len(piece)-1]
			}
			if out, err := base64.RawStdEncoding.DecodeString(piece); err == nil {
				yield(out)
			}
		}
	}
}
