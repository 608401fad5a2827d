package openapi

import "strings"

// Schema is a JSON Schema of draft 2020-12, or another object of the document.
type Schema map[string]any

// Ref is the schema of a name in Document.Schemas.
func Ref(name string) Schema { return Schema{"$ref": "#/components/schemas/" + name} }

// Object has these members, given as names and schemas in turn, and no others. A name that ends in "?" may be missing.
func Object(members ...any) Schema {
	properties, required := Schema{}, []string{}
	for i := 0; i+1 < len(members); i += 2 {
		name, _ := members[i].(string)
		bare, optional := strings.CutSuffix(name, "?")
		properties[bare] = members[i+1]
		if !optional {
			required = append(required, bare)
		}
	}
	return Schema{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
}

// Text has 1 to limit bytes of UTF-8 and no NUL.
func Text(limit int) Schema { return Schema{"type": "string", "minLength": 1, "maxLength": limit} }

// Email is a text with an @ in it.
func Email() Schema {
	return Schema{"type": "string", "minLength": 1, "maxLength": 320, "pattern": "@"}
}

// URL is an http or https address of at most limit bytes.
func URL(limit int) Schema {
	return Schema{"type": "string", "minLength": 1, "maxLength": limit, "pattern": "^https?://"}
}

// String is any text.
func String() Schema { return Schema{"type": "string"} }

// ID is a UUID as the service gives them out.
func ID() Schema { return Schema{"type": "string", "format": "uuid"} }

// Time is a date with a time (RFC 3339).
func Time() Schema { return Schema{"type": "string", "format": "date-time"} }

// Integer lies between two numbers, both included.
func Integer(least, most int64) Schema {
	return Schema{"type": "integer", "minimum": least, "maximum": most}
}

// Count is a number from 0.
func Count() Schema { return Schema{"type": "integer", "minimum": 0} }

// Enum is one of some texts.
func Enum(values ...string) Schema { return Schema{"type": "string", "enum": values} }

// Array of a schema.
func Array(of Schema) Schema { return Schema{"type": "array", "items": of} }

// OrNull lets a schema of one type be null too.
func OrNull(s Schema) Schema {
	out := Schema{}
	for k, v := range s {
		out[k] = v
	}
	out["type"] = []any{s["type"], "null"}
	return out
}

// Page of a list: items, and the cursor of the next page, if there is one.
func Page(of Schema) Schema { return Object("items", Array(of), "next", OrNull(String())) }
