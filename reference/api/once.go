package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/partywall/partywall/reference/store"
)

// once makes a POST idempotent: a second request of the same user with the same Idempotency-Key gets the first one's answer,
// and does nothing. A request that failed may be repeated with its key.
func (a *api) once(handle handler) handler {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		keys := r.Header.Values("Idempotency-Key")
		if len(keys) == 0 {
			return handle(w, r)
		}
		if len(keys) > 1 || !plausible(keys[0], 200) {
			return fmt.Errorf("%w: Idempotency-Key is one text of 1 to 200 bytes", ErrInput)
		}
		body, err := bodyOf(w, r)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sum := sha256.Sum256(append([]byte(r.Method+" "+r.URL.RequestURI()+"\n"), body...))
		answer, err := a.Once.Claim(r.Context(), keys[0], hex.EncodeToString(sum[:]))
		if err != nil {
			return err
		}
		if answer != nil {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Idempotent-Replayed", "true")
			w.WriteHeader(answer.Status)
			send(w, []byte(answer.Body))
			return nil
		}
		kept := &keptAnswer{ResponseWriter: w}
		done := false
		defer func() {
			if !done {
				ctx, cancel := afterwards(r.Context())
				defer cancel()
				err = errors.Join(err, a.Once.Release(ctx, keys[0]))
			}
		}()
		if err := handle(kept, r); err != nil {
			return err
		}
		done = true
		ctx, cancel := afterwards(r.Context())
		defer cancel()
		if err := a.Once.Keep(ctx, keys[0], store.Answer{Status: kept.status, Body: kept.body.String()}); err != nil {
			return err
		}
		w.WriteHeader(kept.status)
		send(w, kept.body.Bytes())
		return nil
	}
}

// keptAnswer holds an answer back until it is noted.
type keptAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (k *keptAnswer) WriteHeader(status int)         { k.status = status }
func (k *keptAnswer) Write(data []byte) (int, error) { return k.body.Write(data) }
