package harness

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"
)

// Purpose says why a request was sent. Judges read exchanges by their purpose.
type Purpose string

// The purposes, in the order in which a cell passes through them.
const (
	Setup   Purpose = "setup"
	Control Purpose = "control"
	Plain   Purpose = "plain" // what the attacker gets without the bend that is on trial
	Attack  Purpose = "attack"
	Check   Purpose = "check"
	Cleanup Purpose = "cleanup"
	Observe Purpose = "observe" // reads what the service tells its operators: see World.Overhear
)

// An Exchange is one request and its outcome, redacted. A transport failure is an outcome, not an error.
type Exchange struct {
	ID       string  `json:"id"` // cell/seq, unique in a run
	Purpose  Purpose `json:"purpose"`
	Actor    string  `json:"actor"`            // "b.alice" or "anonymous"
	Tenant   string  `json:"tenant,omitempty"` // the actor's label in the cast; empty for anonymous
	Resource string  `json:"resource"`
	Verb     Verb    `json:"verb"`
	Object   string  `json:"object,omitempty"` // label of the object that a control or check is about
	Phase    string  `json:"phase,omitempty"`  // of a check: before, after, again; of a twin: absent, present
	Label    string  `json:"label,omitempty"`  // what the attack bent
	// Symbols are the values of this request that a twin comparison must take for one symbol.
	Symbols  []string `json:"symbols,omitempty"`
	Request  Request  `json:"request"`
	Response Response `json:"response"`
	// OK: the answer is what the surface calls a success.
	OK bool `json:"ok"`
	// Begin is the time since the run began.
	Begin time.Duration `json:"begin_ns"`
	Took  time.Duration `json:"took_ns"`
	// Ahead is how far the scenario has moved the clock of the target's limits by then.
	Ahead time.Duration `json:"ahead_ns,omitempty"`
	// Err is the transport failure, if there was no answer.
	Err string `json:"err,omitempty"`
}

// Request as it was sent, credentials replaced by placeholders.
type Request struct {
	Method string      `json:"method"`
	URL    string      `json:"url"` // raw, as on the wire
	Header http.Header `json:"header,omitempty"`
	Body   Bytes       `json:"body,omitempty"`
}

// Response as it was received, secrets replaced by placeholders.
type Response struct {
	Status int         `json:"status,omitempty"`
	Proto  string      `json:"proto,omitempty"`
	Header http.Header `json:"header,omitempty"`
	Body   Bytes       `json:"body,omitempty"`
	// Size is the number of bytes received; Truncated says that Body holds only the first of them.
	Size      int64 `json:"size,omitempty"`
	Truncated bool  `json:"truncated,omitempty"`
	// Beyond holds the tokens that were seen behind the part that Body keeps.
	Beyond []string `json:"beyond,omitempty"`
}

// Bytes is a body. In JSON it is a string when it is UTF-8, else {"base64": "..."}: evidence stays readable.
type Bytes []byte

// MarshalJSON implements json.Marshaler.
func (b Bytes) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return json.Marshal(string(b))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(b)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*b = Bytes(text)
		return nil
	}
	var binary struct {
		Base64 []byte `json:"base64"`
	}
	if err := json.Unmarshal(data, &binary); err != nil {
		return err
	}
	*b = binary.Base64
	return nil
}
