package signing

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/partywall/partywall/reference/tenant"
)

// Scheme of the Authorization header of a signed request.
const Scheme = "Partywall-HMAC-SHA256"

// Skew is how far the clocks of two services may be apart.
const Skew = 5 * time.Minute

// ErrUnavailable means that it cannot be known whether a request was signed for the first time.
var ErrUnavailable = errors.New("the memory of signed requests does not work") // wraps what Redis says

// Signed is what a signed request says of itself.
type Signed struct {
	Tenant    tenant.ID
	Key       string // the id of the API key whose secret signs
	At        int64  // in seconds since 1970
	Nonce     string
	Signature []byte
}

// A Call is the request that is signed.
type Call struct {
	Method string
	Target string // the path with its query, as it is sent
	Body   []byte
}

// Requests verifies what other services sign, by secrets of API keys.
//
// A secret never travels, is nowhere kept, and is good for one key of one tenant: it is derived from the master secret of the service,
// by those two names. What is signed is a list of lines, none of which can hold a line break: the tenant, the key, the method, the
// path with its query, the digest of the body, the time, the nonce. So a signature is good for one request, for a short
// while, and, as nonces are remembered for that while, once. A Redis that forgets all shortens that memory, and nothing else.
type Requests struct {
	Client *redis.Client
	Now    func() time.Time
	Skew   time.Duration
	// Secret signs for a key of a tenant.
	Secret func(id tenant.ID, key string) []byte
	// Canonical is the text that is signed.
	Canonical func(s Signed, c Call) string
}

// RequestsWith makes the verifier of a master secret. Processes that serve the same clients share it.
func RequestsWith(client *redis.Client, master []byte) *Requests {
	return &Requests{
		Client: client, Now: time.Now, Skew: Skew, Canonical: Canonical,
		Secret: func(id tenant.ID, key string) []byte {
			mac := hmac.New(sha256.New, master)
			mac.Write([]byte("request signing\n" + string(id) + "\n" + key))
			return mac.Sum(nil)
		},
	}
}

// Canonical is the good text.
func Canonical(s Signed, c Call) string {
	body := sha256.Sum256(c.Body)
	return strings.Join([]string{
		Scheme, string(s.Tenant), s.Key, c.Method, c.Target, hex.EncodeToString(body[:]), strconv.FormatInt(s.At, 10), s.Nonce,
	}, "\n")
}

// Authorize makes the Authorization header of a call, as a client does that was given a secret.
func (q *Requests) Authorize(secret []byte, s Signed, c Call) string {
	return fmt.Sprintf("%s tenant=%s,key=%s,time=%d,nonce=%s,signature=%s", Scheme, s.Tenant, s.Key, s.At, s.Nonce,
		base64.RawURLEncoding.EncodeToString(q.mark(secret, s, c)))
}

func (q *Requests) mark(secret []byte, s Signed, c Call) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(q.Canonical(s, c)))
	return mac.Sum(nil)
}

var signedForm = regexp.MustCompile(`^` + Scheme + ` tenant=([0-9a-f-]{36}),key=([0-9a-f-]{36}),time=(\d{1,12}),nonce=([A-Za-z0-9_-]{16,64}),signature=([A-Za-z0-9_-]{43})$`)

// ParseSigned reads an Authorization header, or answers ErrToken. It has verified nothing.
func ParseSigned(header string) (s Signed, err error) {
	parts := signedForm.FindStringSubmatch(header)
	if parts == nil {
		return s, ErrToken
	}
	s = Signed{Tenant: tenant.ID(parts[1]), Key: parts[2], Nonce: parts[4]}
	if s.At, err = strconv.ParseInt(parts[3], 10, 64); err == nil {
		s.Signature, err = base64.RawURLEncoding.DecodeString(parts[5])
	}
	if err != nil {
		return Signed{}, ErrToken
	}
	return s, nil
}

// Timely tells whether a request was signed within the skew.
func (q *Requests) Timely(s Signed) bool {
	apart := q.Now().Sub(time.Unix(s.At, 0))
	return apart <= q.Skew && apart >= -q.Skew
}

// Verify answers ErrToken unless the call was signed, and lately, by the secret that it names. Whether it comes for the first time is
// for Spend to say.
func (q *Requests) Verify(s Signed, c Call) error {
	if !hmac.Equal(s.Signature, q.mark(q.Secret(s.Tenant, s.Key), s, c)) || !q.Timely(s) {
		return ErrToken // the cause is for nobody who presents such a request
	}
	return nil
}

// Spend answers ErrToken when the tenant's nonce was spent before. It is remembered for as long as its request is timely.
func (q *Requests) Spend(ctx context.Context, s Signed) error {
	return q.Once(ctx, s.Key+":"+s.Nonce, time.Unix(s.At, 0).Add(q.Skew))
}

// Once answers ErrToken when the tenant has spent a word before. It is remembered until a second after the given time.
func (q *Requests) Once(ctx context.Context, word string, until time.Time) error {
	identity, err := tenant.From(ctx)
	if err != nil {
		return err
	}
	left := max(until.Sub(q.Now())+time.Second, time.Second)
	first, err := q.Client.SetNX(ctx, spent(identity.Tenant)+word, "", left).Result()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if !first {
		return ErrToken
	}
	return nil
}

// spent begins the keys of a tenant's nonces.
func spent(id tenant.ID) string { return "nonce:" + digestOf(string(id)) + ":" }

// Purge forgets the nonces of a tenant. It names the tenant because it is a lifecycle call.
func (q *Requests) Purge(ctx context.Context, id tenant.ID) error {
	keys := q.Client.Scan(ctx, 0, spent(id)+"*", 500).Iterator()
	for keys.Next(ctx) {
		if err := q.Client.Unlink(ctx, keys.Val()).Err(); err != nil {
			return fmt.Errorf("%w: purge: %w", ErrUnavailable, err)
		}
	}
	if err := keys.Err(); err != nil {
		return fmt.Errorf("%w: purge: %w", ErrUnavailable, err)
	}
	return nil
}
