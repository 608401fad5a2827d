package scenarios

import (
	"bytes"
	"encoding/json"

	"github.com/partywall/partywall/harness"
)

// An entry of a trail, as a list shows it.
type entry struct {
	text string // the whole of it, in one form
	id   string
}

// entries are the objects of the longest list in an answer.
func entries(e *harness.Exchange) (out []entry) {
	var answer any
	if json.Unmarshal(e.Response.Body, &answer) != nil {
		return nil
	}
	for _, item := range longest(answer) {
		object, ok := item.(map[string]any)
		if !ok {
			continue
		}
		text, err := json.Marshal(object) // sorts the members
		if err != nil {
			continue
		}
		x := entry{text: string(text)}
		for _, name := range []string{"id", "seq", "uuid", "entry_id", "_id"} {
			if value, ok := object[name]; ok && x.id == "" {
				x.id = plainly(value)
			}
		}
		out = append(out, x)
	}
	return out
}

func plainly(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

func longest(value any) (list []any) {
	switch value := value.(type) {
	case []any:
		return value
	case map[string]any:
		for _, member := range value {
			if found := longest(member); len(found) > len(list) {
				list = found
			}
		}
	}
	return list
}

// decode keeps numbers as they are written.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	return decoder.Decode(into)
}
