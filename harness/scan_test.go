package harness

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// TestScanFindsEncodings: a canary is found in every encoding, at every alignment, in pieces, and nested.
func TestScanFindsEncodings(t *testing.T) {
	r := newRand(1, "scan")
	token, other := newCanary(r), newCanary(r)
	number := newIntegerCanary(r)
	s := newScanner([]Token{{Value: token, Kind: CanaryToken}, {Value: number, Kind: IntegerToken}})
	encodings := map[string]func(string) []byte{
		"plain":      func(v string) []byte { return []byte("<p>" + v + "</p>") },
		"upper case": func(v string) []byte { return []byte(strings.ToUpper(v)) },
		"percent": func(v string) []byte {
			return []byte("?q=%" + hex.EncodeToString([]byte(v[:1])) + url.QueryEscape(v[1:]))
		},
		"all percent": func(v string) []byte { return []byte(everyByte(v, "%%%02x")) },
		"json \\u":    func(v string) []byte { return []byte(`"` + everyByte(v, `\u%04x`) + `"`) },
		"html":        func(v string) []byte { return []byte(everyByte(v, "&#%d;")) },
		"hex":         func(v string) []byte { return []byte("id=" + hex.EncodeToString([]byte(v))) },
		"gzip": func(v string) []byte {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, _ = w.Write([]byte(v))
			_ = w.Close()
			return b.Bytes()
		},
		"zip": func(v string) []byte {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			f, _ := w.Create("report.txt")
			_, _ = f.Write([]byte(v))
			_ = w.Close()
			return b.Bytes()
		},
		"base64 of json": func(v string) []byte {
			data, _ := json.Marshal(map[string]string{"cursor": v})
			return []byte(`{"next":"` + base64.URLEncoding.EncodeToString(data) + `"}`)
		},
		"a piece of 12": func(v string) []byte { return []byte("prefix " + v[7:19] + " rest") },
	}
	for offset := range 3 {
		encodings[fmt.Sprintf("base64 at %d", offset)] = func(v string) []byte {
			return []byte("x" + base64.StdEncoding.EncodeToString([]byte("abc"[:offset]+v+"tail")))
		}
	}
	for name, encode := range encodings {
		found := hits{}
		if s.scan(encode(token), found); len(found) != 1 {
			t.Errorf("%s: not found in %q", name, encode(token))
		}
		found = hits{}
		if s.scan(encode(other), found); len(found) != 0 {
			t.Errorf("%s: another canary is taken for it", name)
		}
	}
	for text, want := range map[string]bool{
		`{"n":` + number + `}`: true, `{"n":1` + number + `}`: false, `{"n":` + number[:15] + `}`: false, token[:11]: false,
	} {
		found := hits{}
		if s.scan([]byte(text), found); (len(found) == 1) != want {
			t.Errorf("%s: found %v, want %v", text, found, want)
		}
	}
}

func everyByte(v, format string) string {
	var b strings.Builder
	for i := range len(v) {
		fmt.Fprintf(&b, format, v[i])
	}
	return b.String()
}

// TestRedactorFindsForms: a secret is replaced in every form in which a service echoes it, and text around it stays.
func TestRedactorFindsForms(t *testing.T) {
	var r redactor
	secret := `s3cr3t/"+token=value`
	r.learn(secret, "<b.alice>")
	r.learn(secret+"-longer", "<c.alice>")
	escaped, _ := json.Marshal(secret)
	for name, form := range map[string]string{
		"plain": secret, "query": url.QueryEscape(secret), "json": strings.Trim(string(escaped), `"`), "hex": hex.EncodeToString([]byte(secret)),
		"base64": base64.RawStdEncoding.EncodeToString([]byte(secret)),
	} {
		if got := r.string("a " + form + " b " + form); got != "a <b.alice> b <b.alice>" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := r.string(secret + "-longer"); got != "<c.alice>" {
		t.Errorf("the longer secret: %q", got)
	}
	if got := r.string("nothing here"); got != "nothing here" {
		t.Errorf("innocent text became %q", got)
	}
}

// FuzzScan: no input makes a decoder fail, and a canary in plain text is always found.
func FuzzScan(f *testing.F) {
	token := newCanary(newRand(1, "fuzz"))
	s := newScanner([]Token{{Value: token, Kind: CanaryToken}})
	f.Add([]byte("%41\\u0041&#65;QUJD"), 3)
	f.Add([]byte{0x1f, 0x8b, 0}, 1)
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		at = min(max(at, 0), len(data))
		found := hits{}
		s.scan([]byte(string(data[:at])+" "+token+" "+string(data[at:])), found)
		if len(found) != 1 {
			t.Errorf("not found in %q at %d", data, at)
		}
	})
}

func TestIDsAreFoundWhole(t *testing.T) {
	s := newScanner([]Token{{Value: "urn:app:document:1", Kind: IDToken}})
	for text, want := range map[string]bool{
		`{"id":"urn:app:document:1"}`: true, "URN:APP:DOCUMENT:1": true, "urn:app:document:12, urn:app:document:1": true,
		`{"id":"urn:app:document:12"}`: false, "xurn:app:document:1": false,
	} {
		found := hits{}
		s.scan([]byte(text), found)
		if len(found) == 1 != want {
			t.Errorf("in %q it is found: %v", text, !want)
		}
	}
}

// TestGhost: a never-issued id has the shape of an issued one and fits the same type.
func TestGhost(t *testing.T) {
	r := newRand(1, "ghosts")
	for range 200 {
		for _, id := range []string{"7", "123456", "2147483000"} {
			if n, err := strconv.ParseInt(Ghost(r, id), 10, 32); err != nil || n < 2_000_000_000 {
				t.Fatalf("%s becomes %d, %v", id, n, err)
			}
		}
		for _, id := range []string{"175928847299117063", "9223372036854775807", "1234567890123"} {
			if g := Ghost(r, id); len(g) != len(id) || g == id {
				t.Fatalf("%s becomes %s", id, g)
			} else if _, err := strconv.ParseInt(g, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		const uuid = "0b7f5b0e-6c0a-4c3c-9d0a-0123456789ab"
		if g := Ghost(r, uuid); g == uuid || len(g) != 36 || g[14] != '4' || g[19] != '9' {
			t.Fatalf("%s becomes %s", uuid, g)
		}
	}
}
