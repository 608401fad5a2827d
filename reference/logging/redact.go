package logging

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"unicode"
)

// Redacted stands for what is not written.
const Redacted = "[redacted]"

// sensitive are words in the name of an attribute, in whatever spelling: its value is not written. "access_token", "apiKey" and
// "Set-Cookie" each have one.
var sensitive = map[string]bool{
	"password": true, "passwd": true, "passphrase": true, "pwd": true, "token": true, "tokens": true, "secret": true, "secrets": true,
	"authorization": true, "auth": true, "bearer": true, "jwt": true, "cookie": true, "cookies": true, "credential": true, "credentials": true,
	"key": true, "keys": true, "apikey": true, "private": true, "signature": true, "hash": true, "digest": true, "nonce": true,
	"body": true, "content": true, "payload": true, "query": true, "dsn": true,
}

// patterns of values that are secret wherever they stand.
var patterns = regexp.MustCompile(strings.Join([]string{
	`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?`,         // a JWT, signed or not
	`(?i:\b(bearer|basic|digest|negotiate)\s+[A-Za-z0-9._~+/=-]{6,})`, // an Authorization header
	`\b[A-Z2-7]{26}\b`,                                        // what crypto/rand.Text makes: refresh tokens, links, the operator's key
	`\b(AKIA|ASIA)[A-Z0-9]{16}\b`,                             // a key of S3
	`\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}`,                       // what bcrypt makes
	`(?s)-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|$)`, // a key in PEM
	`(?i:\b(password|passwd|pwd|secret|token|signature|api_?key)=)("[^"]*"|[^\s&"]+)`, // a DSN, a query
	`://[^/\s:@]*:[^/\s@]+@`,                                          // a URL with a password
	`(?i:X-Amz-(Signature|Credential|Security-Token)=)[^\s&"]+`,       // a URL that is signed
	`(invalid input syntax for [a-z ]+|value|json): ?"(\\.|[^"\\])*"`, // Postgres quotes what it was given
}, "|"))

// scrubbed is a text without what looks like a secret.
func scrubbed(text string) string {
	if len(text) < 8 {
		return text
	}
	return patterns.ReplaceAllString(text, Redacted)
}

// Redact is the good redaction, by the name and by the value of an attribute.
func Redact(a slog.Attr) slog.Attr {
	if named(a.Key) {
		return slog.String(a.Key, Redacted)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, scrubbed(a.Value.String()))
	case slog.KindAny:
		return slog.Any(a.Key, looked(a.Value.Any()))
	default:
		return a // numbers, times, truths
	}
}

// named tells whether a name has a sensitive word.
func named(name string) bool {
	if sensitive[strings.ToLower(name)] {
		return true
	}
	start := 0
	letters := []rune(name)
	for i, r := range letters {
		boundary := !unicode.IsLetter(r) && !unicode.IsDigit(r)
		if boundary || i > 0 && unicode.IsUpper(r) && unicode.IsLower(letters[i-1]) {
			if sensitive[strings.ToLower(string(letters[start:i]))] {
				return true
			}
			if start = i; boundary {
				start = i + 1
			}
		}
	}
	return sensitive[strings.ToLower(string(letters[start:]))]
}

// looked is a value of any type as something that could be looked into: text or what JSON makes of it.
func looked(value any) any {
	switch v := value.(type) {
	case nil:
		return nil
	case error:
		return scrubbed(v.Error())
	case fmt.Stringer:
		return scrubbed(v.String())
	case []byte:
		return Redacted
	}
	data, err := json.Marshal(value)
	var plain any
	if err != nil || json.Unmarshal(data, &plain) != nil {
		return fmt.Sprintf("%s %T", Redacted, value)
	}
	return walked(plain)
}

// walked takes what is sensitive out of what JSON has made.
func walked(value any) any {
	switch v := value.(type) {
	case string:
		return scrubbed(v)
	case []any:
		for i := range v {
			v[i] = walked(v[i])
		}
	case map[string]any:
		for name, inner := range v {
			if v[name] = walked(inner); named(name) {
				v[name] = Redacted
			}
		}
	}
	return value
}
