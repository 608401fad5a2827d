package faults

import (
	"os"

	"github.com/golang-jwt/jwt/v5"

	"github.com/partywall/partywall/reference"
)

func kidFile() Fault {
	return Fault{
		ID: "kid-file", Mistake: "The key of a token is read from the file that its key id names.",
		Refs: Refs{
			CheatSheet: "Derive tenant context from authenticated, verified tokens.", CWE: []int{22, 347}, Bugs: []string{"WSTG #1275"},
		},
		Scenarios:   []string{"token/key-id"},
		Indifferent: true,
		Plant: func(p *reference.Parts) {
			believed(p, orElse(withKey([]string{"HS256"}, func(t *jwt.Token) (any, error) {
				name, _ := t.Header["kid"].(string)
				return os.ReadFile(name)
			}), p.Verifier))
		},
	}
}
