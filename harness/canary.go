package harness

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"strings"
)

const (
	// canaryAlphabet has no upper case, no padding, and nothing that JSON, HTML or a URL would escape.
	canaryAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	canaryLength   = 26 // 130 bits
	// fragment is the shortest piece of a canary that counts: 60 bits, not found by chance.
	fragment = 12
)

// newCanary draws a token that nobody can guess and no encoder changes.
func newCanary(r *rand.Rand) string {
	var b [canaryLength]byte
	for i := range b {
		b[i] = canaryAlphabet[r.IntN(len(canaryAlphabet))]
	}
	return string(b[:])
}

// newIntegerCanary draws 53 bits, the most that a JSON number keeps everywhere; the top bit is set so that all have
// sixteen digits.
func newIntegerCanary(r *rand.Rand) string {
	return strconv.FormatUint(1<<52|r.Uint64N(1<<52), 10)
}

// newRand derives a generator from a seed and a name, so that a cell draws the same values whichever lane runs it.
func newRand(seed int64, name string) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], uint64(seed))
	// FNV-1a over the name in three rounds fills the rest: no secrecy is asked of it, only that names differ.
	h := uint64(14695981039346656037)
	for round := range 3 {
		for i := range len(name) {
			h = (h ^ uint64(name[i])) * 1099511628211
		}
		h ^= uint64(round + 1)
		binary.LittleEndian.PutUint64(key[8*(round+1):], h)
	}
	return rand.New(rand.NewChaCha8(key))
}

// Ghost returns an id of the same shape that was never issued: letters become letters, digits digits, and of a UUID
// the version and variant stay.
func Ghost(r *rand.Rand, id string) string {
	uuid := len(id) == 36 && strings.Count(id, "-") == 4
	hexOnly := strings.Trim(id, "0123456789abcdefABCDEF-") == ""
	out := []byte(id)
	for i, c := range out {
		switch {
		case uuid && (i == 14 || i == 19):
		case hexOnly && !allDigits(id) && c != '-':
			out[i] = "0123456789abcdef"[r.IntN(16)]
		case c >= '0' && c <= '9':
			if i == 0 {
				out[i] = byte('1' + r.IntN(9))
			} else {
				out[i] = byte('0' + r.IntN(10))
			}
		case c >= 'a' && c <= 'z':
			out[i] = byte('a' + r.IntN(26))
		case c >= 'A' && c <= 'Z':
			out[i] = byte('A' + r.IntN(26))
		}
	}
	if allDigits(id) {
		// A number near by may well exist in a busy service, and one that is too large for its type is refused as such.
		switch {
		case len(id) <= 10 && (len(id) < 10 || id < "2147483648"):
			return strconv.Itoa(2_000_000_000 + r.IntN(147_000_000)) // the far end of 31 bits
		case len(id) < 16:
			out[0] = '9'
		default:
			out[0] = id[0] // as many digits, and no larger than what 64 bits hold if the id does
			if out[0] == '9' {
				out[0] = '8'
			}
		}
	}
	return string(out)
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
