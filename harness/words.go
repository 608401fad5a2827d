package harness

import (
	"fmt"
	"slices"
	"strings"
)

// The words that a surface may use.
var (
	verbs       = []Verb{Create, Read, List, Search, Update, Patch, Delete, Batch, BatchRead, Copy, Trash, Restore, Link, Open, Revoke, Follow, Download}
	fieldTypes  = []FieldType{Integer, Small}
	bodyKinds   = []string{"json", "form", "raw"}
	places      = []Place{InPath, InQuery, InHeader, InBody}
	tenantParts = []string{"id", "name"}
)

// ownVerb begins a verb that only its surface knows.
const ownVerb = "x-"

// oneOf complains of a word that is none of the known ones, and names the one that was probably meant.
func oneOf[S ~string](what string, word S, known []S) error {
	if slices.Contains(known, word) {
		return nil
	}
	nearest, text := known[0], make([]string, len(known))
	for i, k := range known {
		text[i] = string(k)
		if distance(string(word), string(k)) < distance(string(word), string(nearest)) {
			nearest = k
		}
	}
	return fmt.Errorf("the %s %q is unknown; did you mean %s? There are %s", what, word, nearest, strings.Join(text, ", "))
}

// distance counts the letters to insert, delete, replace or swap with their neighbour until one word is the other.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for k := range rows[0] {
		rows[0][k] = k
	}
	for i := 1; i <= len(a); i++ {
		for k := 1; k <= len(b); k++ {
			differ := 1
			if a[i-1] == b[k-1] {
				differ = 0
			}
			rows[i][k] = min(rows[i-1][k]+1, rows[i][k-1]+1, rows[i-1][k-1]+differ)
			if i > 1 && k > 1 && a[i-1] == b[k-2] && a[i-2] == b[k-1] {
				rows[i][k] = min(rows[i][k], rows[i-2][k-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// words checks all words of a surface that mean something to the harness: what it did not understand would go unattacked.
func (s *Surface) words() error {
	for _, selector := range s.Selectors {
		if err := oneOf("place of a selector", selector.In, places); err != nil {
			return err
		}
		if selector.Attribute != "" {
			if err := oneOf("attribute of a selector", selector.Attribute, tenantParts); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Resource) words() error {
	for _, f := range r.Fields {
		if f.Type != Text {
			if err := oneOf("type", f.Type, fieldTypes); err != nil {
				return fmt.Errorf("field %s: %w; without a type it is a text", f.Name, err)
			}
		}
	}
	for i := range r.Operations {
		if err := r.Operations[i].words(); err != nil {
			return fmt.Errorf("operation %s: %w", r.Operations[i].Verb, err)
		}
	}
	return nil
}

func (op *Operation) words() error {
	if !strings.HasPrefix(string(op.Verb), ownVerb) {
		if err := oneOf("verb", op.Verb, verbs); err != nil {
			return fmt.Errorf("%w; one of your own begins with %s, and no scenario attacks it", err, ownVerb)
		}
	}
	if strings.ToUpper(op.Method) != op.Method {
		return fmt.Errorf("the method %q is sent as it is; write %s", op.Method, strings.ToUpper(op.Method))
	}
	switch kind := op.Body.Kind; {
	case kind != "":
		return oneOf("kind of its body", kind, bodyKinds)
	case op.Body.Value != nil || op.Body.Raw != "":
		return fmt.Errorf("its body needs a kind: %s", strings.Join(bodyKinds, ", "))
	default:
		return nil
	}
}
