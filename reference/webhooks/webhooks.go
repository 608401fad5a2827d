// Package webhooks tells tenants' own services what happened, over HTTP.
//
// A delivery is signed with the secret of its webhook, and what is signed names the tenant and the webhook: who receives one
// cannot pass it on as the delivery of somebody else. Secrets are sealed for their tenant and webhook: one that is put into
// another's row opens nothing. And deliveries go to public addresses only: a tenant must not reach with our hands what it
// cannot reach with its own.
package webhooks

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/partywall/partywall/reference/tenant"
)

// Errors of this package.
var (
	ErrURL       = errors.New("a webhook has an http or https address of at most 2000 bytes, with a host and without a user or fragment")
	ErrAddress   = errors.New("the address is not a public one")
	ErrSecret    = errors.New("the secret was not sealed for this webhook")
	ErrSignature = errors.New("the delivery was not signed with this secret")
)

// Headers of a delivery.
const (
	HeaderID        = "Webhook-Id"        // the tenant and the webhook
	HeaderSignature = "Webhook-Signature" // when and what: t=<Unix time>,v1=<hexadecimal HMAC-SHA-256>
)

// Outcome of a delivery.
type Outcome struct {
	Delivered bool   `json:"delivered"` // it was answered with a status from 200 to 299
	Status    int    `json:"status,omitempty"`
	Reason    string `json:"reason,omitempty"` // why there is no status
}

// Sender delivers for the tenant in the context.
type Sender struct {
	// Dial connects to where a delivery goes. The good one refuses addresses that are not public.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	aead   cipher.AEAD
	client *http.Client
}

// Time and size that a delivery may take.
const (
	deliverFor = 5 * time.Second
	readHeader = 16 << 10
)

// New returns a sender that seals secrets with a key of 32 bytes.
func New(key []byte) (*Sender, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the cipher of webhook secrets: %w", err)
	}
	s := &Sender{Dial: Dial}
	if s.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("make the cipher of webhook secrets: %w", err)
	}
	s.client = &http.Client{
		Timeout: deliverFor,
		// Neither a proxy nor a kept connection: each delivery goes where it was checked to go, and serves one tenant.
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return s.Dial(ctx, network, address)
			},
			DisableKeepAlives: true, MaxResponseHeaderBytes: readHeader, TLSHandshakeTimeout: deliverFor,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s, nil
}

// Check refuses an address that nothing can be delivered to.
func Check(address string) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > 2000 || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return ErrURL
	}
	return nil
}

// NewSecret draws the secret of a new webhook: as its owner is shown it, once, and as it is kept.
func (s *Sender) NewSecret(ctx context.Context, hook string) (shown, sealed string, err error) {
	name, err := nameOf(ctx, hook)
	if err != nil {
		return "", "", err
	}
	shown = "whsec_" + rand.Text()
	return shown, base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(shown), []byte(name))), nil
}

// nameOf is what a webhook of the tenant in the context is called to the outside: no other tenant's can have the name.
func nameOf(ctx context.Context, hook string) (string, error) {
	id, err := tenant.From(ctx)
	if err != nil {
		return "", err
	}
	return string(id.Tenant) + "/" + hook, nil
}

func (s *Sender) open(name, sealed string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", ErrSecret
	}
	secret, err := s.aead.Open(nil, nil, data, []byte(name))
	if err != nil {
		return "", ErrSecret
	}
	return string(secret), nil
}

// Deliver posts a body to a webhook of the tenant in the context. What the receiver does is an outcome, not an error.
func (s *Sender) Deliver(ctx context.Context, hook, address, sealed string, body []byte) (Outcome, error) {
	name, err := nameOf(ctx, hook)
	if err != nil {
		return Outcome{}, err
	}
	secret, err := s.open(name, sealed)
	if err != nil {
		return Outcome{}, err
	}
	if err := Check(address); err != nil {
		return Outcome{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return Outcome{}, ErrURL
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "partywall-webhooks")
	r.Header.Set(HeaderID, name)
	r.Header.Set(HeaderSignature, sign(secret, name, time.Now(), body))
	answer, err := s.client.Do(r)
	switch {
	case ctx.Err() != nil:
		return Outcome{}, ctx.Err()
	case errors.Is(err, ErrAddress):
		return Outcome{Reason: ErrAddress.Error()}, nil
	case err != nil: // no more: the cause would tell of the network that the service stands in
		return Outcome{Reason: "there was no answer"}, nil //nolint:nilerr // it is an outcome
	}
	_ = answer.Body.Close() // what it says is not read
	return Outcome{Delivered: answer.StatusCode >= 200 && answer.StatusCode <= 299, Status: answer.StatusCode}, nil
}

func sign(secret, name string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, name, body))
}

// mac is over "<time>.<tenant>/<webhook>.<body>": neither of the first two holds a dot.
func mac(secret, at, name string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(h, at+"."+name+".") // it never fails
	_, _ = h.Write(body)                      // nor does this
	return h.Sum(nil)
}

// Tolerance is how old a delivery may be.
const Tolerance = 5 * time.Minute

// Verify is what a receiver does: the delivery must be signed with the secret, for the webhook it names, and not be old.
func Verify(secret string, header http.Header, body []byte, now time.Time) error {
	t, signature, _ := strings.Cut(strings.TrimPrefix(header.Get(HeaderSignature), "t="), ",v1=")
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > Tolerance {
		return ErrSignature
	}
	got, err := hex.DecodeString(signature)
	if err != nil || !hmac.Equal(got, mac(secret, t, header.Get(HeaderID), body)) {
		return ErrSignature
	}
	return nil
}
