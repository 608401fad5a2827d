package scenarios

import "testing"

func TestNeighbour(t *testing.T) {
	for _, tc := range []struct {
		id   string
		by   int64
		want string
	}{
		{"41", 1, "42"},
		{"1", -3, "-2"}, // some services take negative ids for what they hide
		{"note-7", 1, "note-8"},
		{"note-9", 1, "note-10"},
		{"INV-0042", -1, "INV-0041"},
		{"INV-0001", -2, ""},
		{"0190a3f9-41d2-7c55-8e1b-3f2a9c0d11ff", 1, "0190a3f9-41d2-7c55-8e1b-3f2a9c0d1200"},
		{"user_c9", 1, "user_c10"}, // too short to be anything but a number behind a word
		{"latest", 1, ""},
		{"", 1, ""},
	} {
		if got := neighbour(tc.id, tc.by); got != tc.want {
			t.Errorf("%q by %d: %q, want %q", tc.id, tc.by, got, tc.want)
		}
	}
}
