package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// maxJSON is how many bytes a JSON body may have.
const maxJSON = 1 << 20

// decode reads a JSON body strictly. What another reader of the same bytes could understand differently is refused: a member
// that the service does not know, one that is there twice or in another case, UTF-8 that is none, half of a surrogate pair, and
// whatever follows the object. encoding/json would take the last of two, match "SLUG" to slug and mend broken text.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := bodyOf(w, r)
	if err != nil {
		return err
	}
	if len(body) > 0 && !isJSON(r) {
		return ErrMediaType
	}
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) || json.Unmarshal(body, into, json.RejectUnknownMembers(true)) != nil {
		return fmt.Errorf("%w: the body is not the JSON object that is expected here", ErrInput)
	}
	return nil
}

// isJSON tells whether a request says once that its body is JSON in UTF-8. A body without a type is of none: senders who do not
// know what they send do not get it guessed.
func isJSON(r *http.Request) bool {
	values := r.Header.Values("Content-Type")
	if len(values) != 1 {
		return false
	}
	kind, parameters, err := mime.ParseMediaType(values[0])
	charset, given := parameters["charset"]
	return err == nil && kind == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}

// bodyOf reads a body as a whole.
func bodyOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, fmt.Errorf("%w: the body may have %d bytes", ErrTooLarge, maxJSON)
	case err != nil:
		return nil, fmt.Errorf("%w: the body broke off", ErrInput)
	}
	return body, nil
}
